from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest

from headway.data import Dataset, Label, as_dataset, read_sql
from headway.data.reading import gather
from headway.errors import DataError, InputError

ROWS = [{"text": "a", "n": 1}, {"text": "b", "n": 2}, {"text": None, "n": 3}]
COLUMNS = {name: [row[name] for row in ROWS] for name in ("text", "n")}


@pytest.mark.parametrize(
    "source",
    [
        COLUMNS,
        ROWS,
        iter(ROWS),
        lambda: (dict(row) for row in ROWS),
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
        pa.table(COLUMNS).to_reader(),
        polars.DataFrame(COLUMNS),
        pandas.DataFrame(COLUMNS),
        pandas.DataFrame(COLUMNS, index=[7, 8, 9]),
        Dataset(pa.table(COLUMNS)),
        np.array([("a", 1), ("b", 2), (None, 3)], dtype=[("text", object), ("n", np.int64)]),
    ],
    ids=lambda source: type(source).__name__,
)
def test_whatever_holds_rows(source: Any) -> None:
    data = as_dataset(source, name="mine")
    assert list(data) == ROWS
    assert data.column("n").type == pa.int64()


def test_polars_types_become_plain() -> None:
    frame = polars.DataFrame(
        {"c": ["x", "y", "x"], "l": [["a"], [], None]},
        schema={"c": polars.Categorical, "l": polars.List(polars.String)},
    )
    data = as_dataset(frame)
    assert data["c"] == ["x", "y", "x"]
    assert data["l"] == [["a"], [], None]
    assert data.fingerprint == as_dataset({"c": data["c"], "l": data["l"]}).fingerprint


def test_an_index_with_a_name_is_a_column() -> None:
    frame = pandas.DataFrame({"text": ["a"], 5: [1]}, index=pandas.Index(["x"], name="id"))
    assert list(as_dataset(frame)) == [{"id": "x", "text": "a", "5": 1}]


def test_numpy_of_two_dimensions() -> None:
    data = as_dataset(np.arange(6).reshape(3, 2))
    assert data["column_2"] == [1, 3, 5]


def test_a_generator_is_taken_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_ROWS_AT_ONCE", 2)
    alive: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for n in range(7):
            alive.append(n)
            yield {"n": n} if n < 5 else {"n": n + 0.5, "more": [str(n)]}

    data = as_dataset(rows)
    assert data["n"] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.5, 6.5]
    assert data["more"][4:] == [None, ["5"], ["6"]]
    assert alive == list(range(7))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ([], "holds no rows"),
        ({}, "holds no rows"),
        ({"a": []}, "holds no rows"),
        ([{}], "holds no rows"),
        ([{"a": 1}, 3], "row 2: 3 where a dict is expected"),
        ([{"a": 1}, {"a": 2}, {"a": "x"}], "row 3, column 'a': 'x' does not go with"),
        ([{"a": "x"}, {"a": object()}], "row 2, column 'a': <object"),
        ({"a": [1], "b": [1, 2]}, "columns that make no table"),
        ({"a": [1, "x"]}, "columns that make no table"),
        (np.arange(3), "with 1 dimensions"),
        (pandas.Series([1], name="s"), "is one column"),
        (pandas.DataFrame({"a": [1, "x"]}), "values of several types"),
        ("a text", "is no rows"),
        (7, "is no rows"),
        (pa.table([[1], [2]], names=["a", "a"]), "more than once"),
    ],
)
def test_what_holds_none(source: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        as_dataset(source)
    assert says in str(caught.value)


def test_a_type_that_changes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_ROWS_AT_ONCE", 1)
    with pytest.raises(DataError, match="changes its type"):
        as_dataset([{"a": 1}, {"a": "x"}])


def test_features_are_checked() -> None:
    labels = {"n": Label(("zero", "one", "two", "three"))}
    assert as_dataset(ROWS, features=labels)["n"] == ["one", "two", "three"]
    with pytest.raises(DataError, match="row 3, column 'n'"):
        as_dataset(ROWS, features={"n": Label(("zero", "one", "two"))})


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "tickets ?#%.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table tickets (text text, label integer, score real)")
        rows = [("where?", 1, 0.5), ("why?", 0, None), ("é漢", 1, 2.0)]
        connection.executemany("insert into tickets values (?, ?, ?)", rows)
        connection.execute("create table mixed (a)")
        connection.executemany("insert into mixed values (?)", [(1,), ("x",)])
    connection.close()
    return path


def test_a_query(database: Path) -> None:
    before = database.read_bytes()
    data = read_sql("select text, label, score from tickets order by text", database)
    assert list(data) == [
        {"text": "where?", "label": 1, "score": 0.5},
        {"text": "why?", "label": 0, "score": None},
        {"text": "é漢", "label": 1, "score": 2.0},
    ]
    assert data.name == str(database)
    bound = read_sql("select text from tickets where label = ?", database, parameters=(0,))
    assert bound["text"] == ["why?"]
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "query",
    [
        "select nothing from tickets",
        "delete from tickets",
        "drop table tickets",
        "create table other (a)",
        "this is no query",
        "select * from tickets where label = 7",
    ],
)
def test_queries_that_fail_or_write(query: str, database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(DataError, match=r"the query (failed|gave no rows)"):
        read_sql(query, database)
    assert database.read_bytes() == before
    assert len(read_sql("select * from tickets", database)) == 3


def test_an_open_connection(database: Path) -> None:
    from adbc_driver_sqlite import dbapi

    with dbapi.connect() as connection:
        assert list(read_sql("select 1 as n", connection)) == [{"n": 1}]


def test_a_missing_database_or_driver(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="no SQLite file"):
        read_sql("select 1", tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(DataError, match="the query failed"):
        read_sql("select * from tickets", tmp_path / "text.db")
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite", None)
    with pytest.raises(InputError, match="pip install adbc-driver-sqlite"):
        read_sql("select 1", database)
