"""Single rows are those that Arrow gives."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.rowreader import row_reader

from .helpers import texts

KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), texts),
    (pa.large_string(), texts),
    (pa.binary(), st.binary(max_size=5)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.float32(), st.floats(width=32, allow_nan=False)),
    (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()),
    (pa.null(), st.none()),
    (pa.timestamp("us"), st.datetimes()),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from("abc")),
    (pa.list_(pa.int32()), st.lists(st.integers(-9, 9), max_size=4)),
    (pa.large_list(pa.string()), st.lists(st.none() | texts, max_size=3)),
    (pa.list_(pa.list_(pa.float64())), st.lists(st.lists(st.just(0.5), max_size=2), max_size=2)),
    (pa.struct([("a", pa.int8())]), st.fixed_dictionaries({"a": st.none() | st.integers(0, 3)})),
]


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda kind: str(kind)[:20])
@given(drawn=st.data())
def test_cells_are_those_of_arrow(
    kind: pa.DataType, values: st.SearchStrategy[Any], drawn: st.DataObject
) -> None:
    value = drawn.draw(st.sampled_from([values, st.none() | values]))
    chunks = drawn.draw(st.lists(st.lists(value, max_size=8), min_size=1, max_size=3))
    column = pa.chunked_array([pa.array(chunk, kind) for chunk in chunks], kind)
    start = drawn.draw(st.integers(0, len(column)))
    column = column.slice(start, drawn.draw(st.integers(0, len(column) - start)))
    expected = column.to_pylist()
    read = row_reader(pa.table({"n": range(len(column)), "x": column}))
    rows = [read(row) for row in range(len(column))]
    assert [list(row) for row in rows] == [["n", "x"]] * len(rows)
    assert [row["n"] for row in rows] == list(range(len(rows)))
    cells = [row["x"] for row in rows]
    assert cells == expected
    assert list(map(type, cells)) == list(map(type, expected))


def test_texts_that_are_not_utf8_are_an_error() -> None:
    wrong = pa.array([b"a", b"\xff"]).view(pa.string())
    with pytest.raises(UnicodeDecodeError):
        row_reader(pa.table({"x": wrong}))(1)


def test_rows_that_are_not_there() -> None:
    for column in ([1, 2], [{"a": 1}, {"a": 2}]):
        read = row_reader(pa.table({"x": column}))
        for row in (-1, 2):
            with pytest.raises(IndexError):
                read(row) if row > 0 or isinstance(column[0], int) else [][0]
