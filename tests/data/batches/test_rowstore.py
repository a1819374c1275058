"""Rows gathered by number are those rows, from any chunks, in memory of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.batches.rowstore import RaggedColumn, check_aligned, is_numbers, take
from headway.data.taking import Taker
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
        table = chunked(values, cuts, kind)
        numbers = is_numbers(table.column("x"))
        found = take(Taker(table), np.array(rows, dtype=np.int64), numbers=numbers)
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
    taker = Taker(pa.table({"x": pa.chunked_array(chunks)}))
    found = take(taker, np.array([4, 3, 1, 0]), numbers=False)
    assert found.to_pylist() == ["a", "c", "b", "a"]


PAIRS = pa.list_(pa.int8(), 2)
HALVES = pa.list_(pa.float32(), 2)


@pytest.mark.parametrize(
    ("values", "kind", "order", "expected"),
    [
        ([1, 2], pa.int64(), None, True),
        ([True, False], pa.bool_(), None, True),
        ([1, None, 3], pa.int64(), None, False),
        ([1, None, 3], pa.int64(), [2, 0], True),
        ([1, None, 3], pa.int64(), [2, 1], False),
        ([0.5, None], pa.float32(), None, True),
        ([[1, 2], [3, None]], PAIRS, None, False),
        ([[1, 2], [3, None], None], PAIRS, [0, 0], True),
        ([[1, 2], [3, None]], HALVES, None, True),
        ([[1, 2], None], HALVES, None, False),
        ([[1, 2], None], HALVES, [0], True),
        (["a"], pa.string(), None, False),
        ([[1]], pa.list_(pa.int8()), None, False),
        ([], pa.int8(), None, True),
        ([None], pa.int8(), [], True),
    ],
)
def test_a_type_does_not_depend_on_which_rows_are_taken(
    values: list[Any], kind: pa.DataType, order: list[int] | None, expected: bool
) -> None:
    table = chunked(values, [1], kind)
    places = None if order is None else np.array(order, np.int64)
    assert is_numbers(table.column("x"), order=places) is expected
    for row in range(len(values)) if order is None else order:
        found = take(Taker(table), np.array([row]), numbers=expected)
        assert isinstance(found, np.ndarray if expected else pa.Array)
        filled = [[0 if n is None or n != n else n for n in np.ravel(v)] for v in found.tolist()]
        assert filled == [[n or 0 for n in np.ravel(values[row])]]


@pytest.mark.parametrize("kind", [pa.list_(pa.int32()), pa.large_list(pa.int8()), PAIRS, HALVES])
@pytest.mark.parametrize("skipped", [0, 1])
def test_lists_are_missed_only_in_rows_that_count(kind: pa.DataType, skipped: int) -> None:
    values: list[Any] = [[9, 9], [1, 2], None, [3, 4], [5, None], [6, 7]]
    table = chunked(values, [4], kind).slice(skipped)
    whole = np.array([1, 3, 5, 1]) - skipped
    column = RaggedColumn(table, "x", order=whole)
    lengths = column.lengths(whole)
    assert lengths.tolist() == [2] * 4
    assert column.gather(whole, whole * 0, lengths).tolist() == [1, 2, 3, 4, 6, 7, 1, 2]
    for order, first in (([1, 2], 1), ([3, 1, 4, 2], 2), (None, 2 - skipped)):
        places = None if order is None else np.array(order) - skipped
        with pytest.raises(DataError, match=f"misses a value in . rows, the first is row {first}"):
            RaggedColumn(table, "x", order=places)


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [1, 2])
def test_more_text_than_32_bits_count(chunks: int) -> None:
    text = "x" * (1 << 20)
    taker = Taker(pa.table({"x": pa.chunked_array([[text, "y"]] * chunks)}))
    rows = np.arange(2200) * 2 % (2 * chunks)
    rows[-1] = 1
    found = take(taker, rows, numbers=False)
    assert found.type == pa.large_string() and len(found) == 2200
    assert pc.binary_length(found).to_pylist() == [1 << 20] * 2199 + [1]
    assert [found[row].as_py() for row in (0, 1, 2198, 2199)] == [text, text, text, "y"]


def test_what_is_gathered_is_ones_own() -> None:
    table = pa.table({"x": pa.array([[1, 2], [3]], pa.list_(pa.int32())), "y": [1, 2]})
    rows = np.array([0, 1])
    RaggedColumn(table, "x").gather(rows, rows * 0, np.array([2, 1]))[:] = 9
    take(Taker(table.select(["y"])), rows, numbers=True)[:] = 9
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
