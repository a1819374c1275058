"""Rows gathered by number are those rows, from any chunks, in memory of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.batches.rowstore import RaggedColumn, check_aligned, take
from headway.errors import DataError

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=8), min_size=1, max_size=30)


def chunked(values: list[Any], cuts: list[int], kind: pa.DataType | None = None) -> pa.Table:
    whole = pa.table({"x": pa.array(values, kind)})
    ends = sorted(min(cut, len(values)) for cut in cuts)
    return pa.concat_tables(
        whole.slice(a, b - a) for a, b in zip([0, *ends], [*ends, len(values)], strict=True)
    )


@settings(deadline=None)
@given(ROWS, st.lists(st.integers(0, 30), max_size=3), st.integers(1, 40), st.data())
def test_gathered_numbers_are_those_of_the_rows(
    values: list[list[int]], cuts: list[int], repeats: int, data: st.DataObject
) -> None:
    # Long rows are copied in another way than short ones.
    values = [row * repeats for row in values]
    column = RaggedColumn(chunked(values, cuts, pa.list_(pa.int32())), "x")
    rows = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=20))
    starts = [data.draw(st.integers(0, len(values[row]))) for row in rows]
    lengths = [
        data.draw(st.integers(0, len(values[row]) - a)) for row, a in zip(rows, starts, strict=True)
    ]
    places = [np.array(one, dtype=np.int64) for one in (rows, starts, lengths)]
    assert column.lengths(places[0]).tolist() == [len(values[row]) for row in rows]
    found = column.gather(*places)
    parts = zip(rows, starts, lengths, strict=True)
    assert found.tolist() == [n for row, a, size in parts for n in values[row][a : a + size]]
    assert found.dtype == np.int32 and found.flags.writeable


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=3), st.lists(st.integers(0, 9), max_size=20))
def test_taken_values_are_those_of_the_rows(cuts: list[int], rows: list[int]) -> None:
    columns = {
        pa.int64(): list(range(10)),
        pa.float32(): [0.5, None, *map(float, range(8))],
        pa.bool_(): [True, False] * 5,
        pa.string(): ["a", None, *"bcdefghi"],
        pa.list_(pa.int8(), 2): [[n, n] for n in range(10)],
        pa.list_(pa.string()): [["x"] * n for n in range(10)],
    }
    for kind, values in columns.items():
        found = take(chunked(values, cuts, kind).column("x"), np.array(rows, dtype=np.int64))
        expected = [values[row] for row in rows]
        if isinstance(found, np.ndarray):
            assert found.flags.writeable
            same = [None if value != value else value for value in found.tolist()]
            assert same == expected
        else:
            assert pa.types.is_string(kind) or pa.types.is_list(kind)
            assert found.to_pylist() == expected


def test_dictionaries_that_differ_between_chunks() -> None:
    chunks = [
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.array(["c", "a"]).dictionary_encode(),
    ]
    found = take(pa.chunked_array(chunks), np.array([4, 3, 1, 0]))
    assert found.to_pylist() == ["a", "c", "b", "a"]


def test_a_type_does_not_depend_on_which_rows_are_taken() -> None:
    holes = pa.chunked_array([[1, None, 3]])
    assert take(holes, np.array([0, 2])).to_pylist() == [1, 3]
    assert isinstance(take(holes, np.array([0, 1])), pa.Array)


def test_what_is_gathered_is_ones_own() -> None:
    table = pa.table({"x": pa.array([[1, 2], [3]], pa.list_(pa.int32())), "y": [1, 2]})
    rows = np.array([0, 1])
    RaggedColumn(table, "x").gather(rows, rows * 0, np.array([2, 1]))[:] = 9
    take(table.column("y"), rows)[:] = 9
    assert table.to_pydict() == {"x": [[1, 2], [3]], "y": [1, 2]}


@pytest.mark.parametrize("values", [[1], ["a"], [[1], None], [[1], [None]]])
def test_no_lists_of_numbers(values: list[Any]) -> None:
    with pytest.raises(DataError):
        RaggedColumn(pa.table({"x": values}), "x")


def test_values_that_are_not_one_a_token() -> None:
    found, rows = np.array([2, 3]), np.array([7, 5])
    check_aligned("tags", "ids", found, found, rows)
    with pytest.raises(DataError, match="row 5 has 3 values in 'tags' and 4 in 'ids'"):
        check_aligned("tags", "ids", found, np.array([2, 4]), rows)
