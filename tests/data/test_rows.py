"""Rows in an order of their own are those of a list, whatever the chunks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.rows import Rows, joined

chunked = st.lists(st.lists(st.integers(0, 99), max_size=6), min_size=1, max_size=5)


def rows_of(chunks: list[list[int]]) -> Rows:
    numbers = pa.chunked_array([pa.array(chunk, pa.int64()) for chunk in chunks], pa.int64())
    words = [str(n) * (n % 3) for chunk in chunks for n in chunk]
    return Rows(pa.table({"n": numbers, "word": pa.array(words, pa.string())}))


def listed(rows: Rows) -> list[dict[str, object]]:
    return [row for block in rows.blocks(3) for row in block.to_pylist()]


@settings(deadline=None)  # the first call starts threads
@given(chunks=chunked, drawn=st.data())
def test_an_order_is_what_lists_do(chunks: list[list[int]], drawn: st.DataObject) -> None:
    rows = rows_of(chunks)
    expected = listed(rows)
    for _ in range(drawn.draw(st.integers(0, 3))):
        places = st.integers(0, len(expected) - 1) if expected else st.nothing()
        order = drawn.draw(st.lists(places, max_size=12) if expected else st.just([]))
        rows = rows.take(np.array(order, np.int64))
        expected = [expected[i] for i in order]
        start, stop = sorted(drawn.draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
        rows, expected = rows.cut(start, stop), expected[start:stop]
    assert len(rows) == rows.num_rows == len(expected)
    assert listed(rows) == expected
    assert [rows.row(i) for i in range(len(rows))] == expected
    assert rows.column("word").to_pylist() == [row["word"] for row in expected]
    renamed = rows.keep(["word"]).rename({"word": "w"})
    assert listed(renamed) == [{"w": row["word"]} for row in expected]
    assert listed(joined([rows, rows_of(chunks), rows])) == [
        *expected,
        *listed(rows_of(chunks)),
        *expected,
    ]
    assert rows.whole().to_pylist() == expected
    assert listed(rows) == expected


def test_choosing_copies_nothing() -> None:
    rows = rows_of([list(range(90))])
    chosen = rows.take(np.arange(80, 2, -3)).take(np.arange(5))
    assert chosen.table is rows.table
    assert chosen.order is not None
    assert chosen.order.tolist() == [80, 77, 74, 71, 68]


def test_neighbours_in_a_row_need_no_order() -> None:
    rows = rows_of([[1, 2, 3], [4, 5]])
    chosen = rows.take(np.arange(1, 5))
    assert chosen.order is None
    assert [row["n"] for row in listed(chosen)] == [2, 3, 4, 5]
    assert rows.take(np.array([1, 3])).order is not None


def test_blocks_are_cut_at_fixed_places_and_are_small_where_rows_are_long() -> None:
    rows = rows_of([[1, 2], [3], [4, 5, 6, 7]])
    assert [block.num_rows for block in rows.blocks(3)] == [3, 3, 1]
    assert rows.block_rows == 1 << 13
    long = Rows(pa.table({"text": ["x" * (8 << 20)] * 3}))
    assert [block.num_rows for block in long.blocks()] == [1, 1, 1]
