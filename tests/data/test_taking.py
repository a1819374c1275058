"""Rows taken by number, beside what Arrow takes."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import _native
from headway.data.taking import Taker

HOUR = datetime.timedelta(hours=1)
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 65_535),
    pa.int32(): st.integers(-9, 9),
    pa.int64(): st.integers(-9, 9),
    pa.float16(): st.sampled_from([np.float16(1.5), np.float16(-2)]),
    pa.float32(): st.sampled_from([1.5, -0.25]),
    pa.float64(): st.floats(allow_nan=False),
    pa.timestamp("us", tz="UTC"): st.datetimes(timezones=st.just(datetime.UTC)),
    pa.date32(): st.dates(),
    pa.time64("us"): st.times(),
    pa.duration("ms"): st.integers(-5, 5).map(lambda n: n * HOUR),
    pa.string(): st.text(max_size=40),
    pa.large_string(): st.text(max_size=40),
    pa.binary(): st.binary(max_size=40),
    pa.large_binary(): st.binary(max_size=40),
    pa.list_(pa.int32()): st.lists(st.integers(-9, 9)),
    pa.large_list(pa.float64()): st.lists(st.floats(-9, 9)),
    # what takes Arrow's way
    pa.null(): st.none(),
    pa.list_(pa.string()): st.lists(st.text(max_size=3)),
    pa.list_(pa.int8(), 2): st.lists(st.integers(-9, 9), min_size=2, max_size=2),
    pa.struct([("a", pa.int8())]): st.fixed_dictionaries({"a": st.integers(-9, 9)}),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["x", "y"]),
    pa.decimal128(5, 2): st.decimals(-9, 9, places=2),
}


@st.composite
def columns(draw: st.DrawFn, kind: pa.DataType, missing: bool) -> pa.ChunkedArray:
    """Chunks of any length, some cut out of longer ones."""
    values = st.none() | VALUES[kind] if missing else VALUES[kind]
    chunks = []
    for _ in range(draw(st.integers(0, 4))):
        chunk = pa.array(draw(st.lists(values, max_size=8)), kind)
        chunks.append(chunk[draw(st.integers(0, len(chunk))) :])
    return pa.chunked_array(chunks, kind)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", VALUES, ids=str)
@given(data=st.data())
def test_the_rows_that_arrow_takes(kind: pa.DataType, missing: bool, data: st.DataObject) -> None:
    column = data.draw(columns(kind, missing))
    table = pa.table({"c": column, "n": pa.array(range(len(column)), pa.int64())})
    rows = st.integers(0, max(0, len(table) - 1))
    wanted = np.array(data.draw(st.lists(rows, max_size=12 if len(table) else 0)), np.int64)
    found = Taker(table).take(wanted)
    found.validate(full=True)
    assert found.schema == table.schema
    assert found.to_pylist() == [table.slice(int(i), 1).to_pylist()[0] for i in wanted]


def test_items_that_are_missing_keep_their_place() -> None:
    lists = [[1, None], None, [], [None, 2]]
    table = pa.table({"c": pa.chunked_array([lists[:2], lists[2:]], pa.list_(pa.int64()))})
    assert Taker(table).take(np.array([3, 0, 1, 2]))["c"].to_pylist() == [
        [None, 2], [1, None], None, []
    ]  # fmt: skip


def test_many_rows_of_many_chunks() -> None:
    chance = np.random.default_rng(0)
    texts = [["x" * int(n) for n in chance.integers(0, 200, size)] for size in (1, 5000, 0, 20_000)]
    table = pa.table({"t": pa.chunked_array(texts), "n": chance.integers(0, 9, 25_001)})
    order = chance.permutation(len(table))
    taker = Taker(table)
    assert taker.take(order).equals(table.take(pa.array(order)).combine_chunks())
    assert taker.take(np.array([7, 7, 25_000])).equals(table.take(pa.array([7, 7, 25_000])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.int8()), pa.list_(pa.string())], ids=str)
def test_more_than_the_offsets_can_say_comes_in_chunks(kind: pa.DataType) -> None:
    """A long row that comes so often that its copies have more than 2 GB together."""
    size = 1 << 28
    if kind == pa.list_(pa.string()):
        inside = pa.array(["x" * size])
        column = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), inside)
    elif kind == pa.string():
        column = pa.array(["x" * size])
    else:
        column = pa.ListArray.from_arrays(
            pa.array([0, size], pa.int32()), pa.array(np.zeros(size, np.int8))
        )
    found = Taker(pa.table({"c": column})).take(np.zeros(9, np.int64))
    assert len(found) == 9
    assert found["c"].num_chunks == 2
    assert all(chunk[0] == column[0] for chunk in found["c"].chunks)


@pytest.mark.parametrize("wanted", [[3], [-1], [0, 2**40]])
def test_rows_that_are_not_there(wanted: list[int]) -> None:
    for column in ([1, 2, 3], [{"a": 1}] * 3):
        with pytest.raises(IndexError):
            Taker(pa.table({"c": column})).take(np.array(wanted))


def test_visits_of_another_column() -> None:
    long, short = (pa.array(range(n)) for n in (9, 3))
    visits = _native.visits_of(np.array([8]), len(long))
    assert pa.array(_native.column_of([long.__arrow_c_array__()]).gather(visits)).to_pylist() == [8]
    with pytest.raises(IndexError, match="another column"):
        _native.column_of([short.__arrow_c_array__()]).gather(visits)
    with pytest.raises(ValueError, match="64 bits"):
        _native.visits_of(b"123", 3)
