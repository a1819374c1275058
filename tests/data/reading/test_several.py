"""Several files, folders and features: streamed, written and prepared as `read` gives them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import (
    BadRows,
    Dataset,
    Label,
    Number,
    Recipe,
    Sequence,
    Spans,
    Text,
    prepare,
    read,
)
from headway.data.cache import Store
from headway.data.formats import parts
from headway.data.formats.columnar import open_arrow
from headway.data.reading.stream import stream, write_arrow
from headway.errors import ConfigError, DataError, InputError

from ..formats.test_folder import plant
from ..formats.test_lines import lines
from ..helpers import one

CSV = b"text,label\na,x\nb,y\n"


def ways(tmp_path: Path) -> list[Callable[..., pa.Table]]:
    """All that reads one data set in bounded memory, as functions to a table."""
    store = Store(tmp_path / "steps")

    def prepared(path: Any, **how: Any) -> pa.Table:
        found = prepare(path, store=store, **how)
        assert isinstance(found, Dataset)
        return found.to_arrow()

    return [
        lambda path, **how: stream(path, **how).read_all(),
        lambda path, **how: open_arrow(write_arrow(path, tmp_path / "out.arrow", **how)),
        prepared,
    ]


def outcome(read_it: Callable[[], pa.Table]) -> tuple[Any, ...]:
    try:
        table = read_it()
    except InputError as error:
        return type(error), str(error)
    return table.schema, table.to_pylist()


def assert_all_alike(path: Any, tmp_path: Path, **how: Any) -> None:
    """The same rows, or an error; of several faults, each way says the one that it meets first."""
    expected = outcome(lambda: one(path, **how).to_arrow())
    for way in ways(tmp_path):
        found = outcome(lambda way=way: way(path, **how))  # type: ignore[misc]
        assert found == expected or found[0] == expected[0] == DataError


values = st.none() | st.integers(-5, 5) | st.sampled_from([0.5, 2.0]) | st.sampled_from("ab")
tables = st.lists(
    st.lists(st.fixed_dictionaries({"a": values}, optional={"b": values}), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, max_examples=60)
@given(tables=tables, format=st.sampled_from(["jsonl", "csv"]))
def test_files_whose_types_grow(
    tables: list[list[dict[str, Any]]], format: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    files = []
    for number, rows in enumerate(tables):
        files.append(folder / f"{number}.{format}")
        if format == "jsonl":
            files[-1].write_bytes(lines(*rows))
        else:
            cells = [
                f"{row['a'] if row['a'] is not None else ''},{row.get('b', 7)}" for row in rows
            ]
            files[-1].write_text("a,b\n" + "\n".join(cells) + "\n")
    with mock.patch.object(parts, "BLOCK_BYTES", 1):
        assert_all_alike(files, folder, **({"header": True} if format == "csv" else {}))


def test_a_column_of_empty_cells_takes_the_type_that_it_has_elsewhere(tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": b"t,n\na,\n", "b.csv": b"t,n\nb,1\n", "c.csv": b"t,n\nc,\n"})
    assert_all_alike(tmp_path / "?.csv", tmp_path)
    assert one(tmp_path / "?.csv")["n"] == [None, 1, None]
    plant(tmp_path, {"b.csv": b"t,n\nb,x\n"})
    assert_all_alike(tmp_path / "?.csv", tmp_path)
    assert one(tmp_path / "?.csv")["n"] == ["", "x", ""]


def test_lists_patterns_and_folders(tmp_path: Path) -> None:
    plant(tmp_path / "in", {"b.csv": CSV.replace(b"a,x", b"c,z"), "a.csv": CSV, "README.txt": b"x"})
    folder = tmp_path / "in"
    for way in (lambda path: one(path).to_arrow(), *ways(tmp_path)):
        assert way(folder)["text"].to_pylist() == ["a", "b", "c", "b"]
        assert way(str(folder / "?.csv"))["text"].to_pylist() == ["a", "b", "c", "b"]
        listed = way([folder / "b.csv", str(folder / "a.csv")])
        assert listed["text"].to_pylist() == ["c", "b", "a", "b"]
    assert one([folder / "b.csv", folder / "a.csv"]).name == f"{folder / 'b.csv'} and 1 more"


def test_a_list_is_one_data_set_whatever_its_files_are_called(tmp_path: Path) -> None:
    plant(tmp_path, {"train.csv": CSV, "test.csv": CSV, "deep/x.csv": CSV})
    assert len(one([tmp_path / "train.csv", tmp_path / "test.csv"])) == 4
    assert len(one([tmp_path / "train.csv", tmp_path / "deep"])) == 4
    for places, says in (
        ([], "an empty list of files"),
        ([tmp_path], "in a list of files holds the splits train, test"),
        ([tmp_path / "train.csv", tmp_path / "tset.csv"], "no file or folder"),
        ([tmp_path / "train.csv", __file__.replace(".py", ".txt")], "no file or folder"),
    ):
        with pytest.raises(DataError, match=says):
            read(places)
    (tmp_path / "a.txt").write_text("x\n")
    with pytest.raises(DataError, match=r"several formats make one data set: train.csv, a.txt"):
        read([tmp_path / "train.csv", tmp_path / "a.txt"])


def test_columns_that_do_not_go_together_are_said_by_file(tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": CSV, "b.csv": CSV, "c.csv": b"text,label\n1,x\n2,y\n"})
    for way in ways(tmp_path):
        with pytest.raises(DataError) as caught:
            way(tmp_path / "[abc].csv")
        assert f"{tmp_path / 'c.csv'}: column 'text' holds int64, but string in" in str(
            caught.value
        )
    plant(tmp_path, {"c.csv": b"text,topic\nz,x\n"})
    for way in ways(tmp_path):
        with pytest.raises(
            DataError, match=r"c.csv has the columns text, topic: no column 'label'"
        ):
            way(tmp_path / "[abc].csv")
    assert not list(tmp_path.glob(".*"))


def test_splits_are_prepared_as_they_are_read(tmp_path: Path) -> None:
    folder = plant(tmp_path / "in", {"train-0.csv": CSV, "train-1.csv": CSV, "dev.csv": CSV})
    store = Store(tmp_path / "steps")
    found, expected = prepare(folder, store=store), read(folder)
    assert isinstance(found, dict) and isinstance(expected, dict)
    assert list(found) == list(expected) == ["train", "validation"]
    for split, part in found.items():
        assert (part.name, list(part)) == (expected[split].name, list(expected[split]))
    assert len(store.history.made()) == 2
    prepare(folder, store=store)
    assert len(store.history.made()) == 2
    for read_it in (lambda: stream(folder), lambda: write_arrow(folder, tmp_path / "out.arrow")):
        with pytest.raises(DataError) as caught:
            read_it()
        assert f"{folder} holds the splits train, validation" in str(caught.value)
        assert f"(['{folder / 'train-0.csv'}', ...]) for train, and so for" in str(caught.value)
    (folder / "train-1.csv").unlink()
    with pytest.raises(DataError, match=rf"stream\('{folder}/train-0.csv'\) for train"):
        stream(folder)


LABELS = {"text": Text(), "label": Label(("no", "yes"))}


def test_features_are_applied_part_by_part(tmp_path: Path) -> None:
    rows = [{"text": n, "label": n % 2, "tags": ["a"] * (n % 3)} for n in range(50)]
    plant(tmp_path, {"a.jsonl": lines(*rows), "b.jsonl": lines(*rows)})
    features = {**LABELS, "tags": Sequence(Text())}
    with mock.patch.object(parts, "BLOCK_BYTES", 64):
        assert_all_alike(tmp_path / "*.jsonl", tmp_path, features=features)
    plant(tmp_path, {"c.csv": b"text,label\n1,yes\n2,0\n"})
    assert_all_alike(tmp_path / "c.csv", tmp_path, features=LABELS)
    assert stream(tmp_path / "c.csv", features=LABELS).read_all().to_pylist() == [
        {"text": "1", "label": "yes"},
        {"text": "2", "label": "no"},
    ]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"label": Label(("x", "y"))}, r"b.csv row 41, column 'label': 'z' is not label, 2 names"),
        ({"labl": Text()}, r"a.csv has no column 'labl' \(did you mean 'label'"),
        ({"n": Label(("x", "y"))}, r"a.csv row 3, column 'n': '2' is not label"),
        ({"text": Number()}, r"a.csv row 1, column 'text': 'word 0' is not number"),
        ({"n": Sequence(Text())}, r"a.csv: column 'n' holds int64, which cannot be sequence"),
    ],
)
def test_what_a_feature_refuses_is_said_as_read_says_it(
    features: dict[str, Any], says: str, tmp_path: Path
) -> None:
    rows = [f"word {n},x,{n}\n" for n in range(40)]
    plant(tmp_path, {"a.csv": ("text,label,n\n" + "".join(rows)).encode()})
    plant(tmp_path, {"b.csv": ("text,label,n\n" + "".join(rows) + "w,z,1\n").encode()})
    with mock.patch.object(parts, "BLOCK_BYTES", 64):
        expected = outcome(lambda: one(tmp_path / "?.csv", features=features).to_arrow())
        for way in ways(tmp_path):
            with pytest.raises(DataError, match=says) as caught:
                way(tmp_path / "?.csv", features=features)
            assert (DataError, str(caught.value)) == expected


def test_rows_that_features_refuse_are_counted_once(tmp_path: Path) -> None:
    content = b"text,label\n" + b"a,no\n" * 30 + b"b,maybe\n" + b"short\n" + b"c,yes\n"
    plant(tmp_path, {"a.csv": content, "b.csv": content})
    counted = BadRows()
    expected = one(tmp_path / "?.csv", features=LABELS, bad_rows=counted).to_arrow()
    assert counted.count == 4
    with mock.patch.object(parts, "BLOCK_BYTES", 64):
        for way in ways(tmp_path)[:2]:
            bad = BadRows()
            found = way(tmp_path / "?.csv", features=LABELS, bad_rows=bad)
            assert found.to_pylist() == expected.to_pylist()
            assert bad.count == 4
            assert {str(row) for row in bad.first} == {str(row) for row in counted.first}
        schema = pa.schema([("text", pa.string()), ("label", pa.string())])
        bad = BadRows()
        table = stream(tmp_path / "a.csv", schema=schema, features=LABELS, bad_rows=bad).read_all()
        assert (len(table), bad.count) == (31, 2)


def test_a_file_of_which_nothing_is_left(tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": b"text,label\na,maybe\n"})
    for way in (lambda path, **how: one(path, **how).to_arrow(), *ways(tmp_path)[:2]):
        with pytest.raises(DataError, match="not one row of it can be read"):
            way(tmp_path / "a.csv", features=LABELS, header=True, bad_rows=BadRows())


def test_recipes(tmp_path: Path) -> None:
    plant(tmp_path / "both", {"a.de": b"eins\nzwei\n", "a.en": b"one\ntwo\n"})
    plant(tmp_path / "both", {"b.de": b"drei\n", "b.en": b"three\n"})
    recipe = Recipe("parallel", {"de": "*.de", "en": "*.en"})
    assert_all_alike(tmp_path / "both", tmp_path, recipe=recipe)
    plant(tmp_path, {"x.xml": b"<r><d t='a'>one</d><d t='b'>two</d></r>"})
    plant(tmp_path, {"r.toml": b'format = "xml"\nrow = "d"\ncolumns = {text = ".", t = "@t"}\n'})
    assert_all_alike(tmp_path / "x.xml", tmp_path, recipe=tmp_path / "r.toml")
    assert stream(tmp_path / "x.xml", recipe=tmp_path / "r.toml").read_all()["t"].to_pylist() == [
        "a",
        "b",
    ]


def test_class_folders_in_parts(tmp_path: Path) -> None:
    files = {f"{label}/{n}.txt": f"text {n}\r\n".encode() for label in "xyz" for n in range(9)}
    plant(tmp_path / "in", files)
    with mock.patch.object(parts, "BLOCK_BYTES", 1):
        assert_all_alike(tmp_path / "in", tmp_path)


def test_options_that_do_not_exist(tmp_path: Path) -> None:
    plant(tmp_path, {"a.csv": CSV})
    for way in ways(tmp_path):
        with pytest.raises(ConfigError, match=r"no option 'encodin' of reading .*'encoding'"):
            way(tmp_path / "a.csv", encodin="latin-1")
        with pytest.raises(ConfigError, match="sample_by='line' means nothing for csv"):
            way(tmp_path / "a.csv", sample_by="line")


def test_spans_of_a_text_that_comes_late(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"text": None, "spans": []}] * 3
    rows.append({"text": "a word", "spans": [{"start": 2, "end": 6}]})
    plant(tmp_path, {"a.jsonl": lines(*rows)})
    with mock.patch.object(parts, "BLOCK_BYTES", 1):
        assert_all_alike(tmp_path / "a.jsonl", tmp_path, features={"spans": Spans("text")})
    assert one(tmp_path / "a.jsonl", features={"spans": Spans("text")})["spans"][3][0]["end"] == 6


def test_what_the_key_of_prepared_files_is_made_of(tmp_path: Path) -> None:
    store = Store(tmp_path / "steps")

    def made(path: Any, **how: Any) -> bool:
        """Whether something had to be computed."""
        before = len(store.history.made())
        prepare(path, store=store, **how)
        return len(store.history.made()) > before

    plant(tmp_path, {"a.csv": CSV, "b.csv": CSV.replace(b"a,", b"c,")})
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    assert made([a, b]) and not made([a, b]) and not made([str(a), b])
    assert made([b, a]) and made([a]) and not made(a) and made([a, b], features=LABELS_XY)
    assert not made([a, b], features=LABELS_XY)
    assert made([a, b], features={"label": Label(("y", "x"))})
    plant(tmp_path, {"c.csv": CSV})
    assert not made([tmp_path / "c.csv", b])  # a name says nothing of rows
    plant(tmp_path, {"b.csv": CSV})
    assert made([a, b])
    plant(tmp_path / "in", {"x/1.txt": b"one", "y/2.txt": b"two"})
    assert made(tmp_path / "in") and not made(tmp_path / "in")
    (tmp_path / "in" / "y").rename(tmp_path / "in" / "z")
    assert made(tmp_path / "in")  # but the name of a class folder is a label
    plant(tmp_path / "both", {"a.de": b"eins\n", "a.en": b"one\n"})
    ways = [{"de": "*.de", "en": "*.en"}, {"en": "*.de", "de": "*.en"}]
    assert all(made(tmp_path / "both", recipe=Recipe("parallel", way)) for way in ways)


LABELS_XY = {"label": Label(("x", "y"))}


def test_many_files_are_noted_at_once(tmp_path: Path) -> None:
    """Hashes of more files than are usually remembered are still all there at the next call."""
    plant(tmp_path / "in", {f"{label}/{n:04}.txt": b"text" for label in "ab" for n in range(600)})
    then = time.time() - 60
    for file in (tmp_path / "in").rglob("*.txt"):
        os.utime(file, (then, then))
    store = Store(tmp_path / "steps")
    prepare(tmp_path / "in", store=store)
    with mock.patch("headway.data.cache.files._read") as read_again:
        assert len(prepare(tmp_path / "in", store=store)) == 1200
    read_again.assert_not_called()


MEMORY = """
import pathlib, sys
from headway.data import Label, Text
from headway.data.reading.stream import stream, write_arrow
features = {"text": Text(), "label": Label(("no", "yes"))}
if sys.argv[2] == "stream":
    rows = sum(batch.num_rows for batch in stream(sys.argv[1], features=features))
else:
    write_arrow(sys.argv[1], sys.argv[2], features=features)
print(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_memory_grows_neither_with_files_nor_with_features(name: str, tmp_path: Path) -> None:
    """Six files of 50 MB: at most 190 MB of memory, of which 70 are there before anything is."""
    line = '"{0}",{1}\n' if name == "a.csv" else '{{"text": "{0}", "label": {1}}}\n'
    lines = "".join(
        line.format(f"some words, as they stand in the {n}th of the rows " * 6, n % 2)
        for n in range(10_000)
    )
    with (tmp_path / name).open("w") as file:
        file.write("text,label\n" if name == "a.csv" else "")
        file.writelines([lines] * 16)
    for number in range(5):
        (tmp_path / f"b{number}{name[1:]}").hardlink_to(tmp_path / name)
    assert (tmp_path / name).stat().st_size > 50_000_000
    for to in ("stream", str(tmp_path / "out.arrow")):
        found = subprocess.run(
            [sys.executable, "-c", MEMORY, str(tmp_path / f"*{name[1:]}"), to],
            capture_output=True,
            text=True,
            check=True,
        )
        assert int(found.stdout) < 190_000  # kilobytes
    written = open_arrow(tmp_path / "out.arrow")
    assert (written.num_rows, written["label"][-1].as_py()) == (960_000, "yes")
