"""Columns as arrays: what is missing is found, and left out where it does not count.

What each type becomes is tested through the methods of a data set, in `test_views.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.arrays import as_numpy, as_ragged, gaps, refuse_gaps, without_gaps
from headway.errors import DataError

NUMBER = st.none() | st.integers(0, 9)
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "numbers": (pa.int16(), NUMBER),
    "lists": (pa.list_(pa.int32()), st.none() | st.lists(NUMBER, max_size=4)),
    "large": (pa.large_list(pa.float64()), st.none() | st.lists(NUMBER, max_size=4)),
    "vectors": (pa.list_(pa.int8(), 2), st.none() | st.lists(NUMBER, min_size=2, max_size=2)),
}


def misses(value: Any) -> bool:
    return value is None or (isinstance(value, list) and None in value)


@pytest.mark.parametrize("name", COLUMNS)
@settings(deadline=None)
@given(drawn=st.data())
def test_gaps_are_those_of_the_values(name: str, drawn: st.DataObject) -> None:
    kind, values = COLUMNS[name]
    rows = drawn.draw(st.lists(values, min_size=1, max_size=12))
    start, cut = sorted(drawn.draw(st.tuples(*[st.integers(0, len(rows))] * 2)))
    whole = pa.array(rows, kind)
    column = pa.chunked_array([whole[start:cut], whole[cut:]])
    expected = [misses(value) for value in rows[start:]]
    found = gaps(column)
    assert found.tolist() == expected or (not len(found) and not any(expected))
    if not any(expected):
        refuse_gaps(found, "x")
        return
    said = f"'x' misses a value in {sum(expected)} rows, the first is row {expected.index(True)}"
    with pytest.raises(DataError, match=said):
        refuse_gaps(found, "x")


@pytest.mark.parametrize("name", ["lists", "large", "vectors"])
@settings(deadline=None)
@given(drawn=st.data())
def test_lists_without_gaps_are_the_same_where_nothing_is_missing(
    name: str, drawn: st.DataObject
) -> None:
    kind, values = COLUMNS[name]
    rows = drawn.draw(st.lists(values, min_size=1, max_size=12))
    start = drawn.draw(st.integers(0, len(rows) - 1))
    lists = pa.array(rows, kind)[start:]
    numbers, offsets = as_ragged(without_gaps(lists), "x")
    assert len(offsets) == len(lists) + 1
    for place, value in enumerate(rows[start:]):
        if not misses(value):
            assert numbers[offsets[place] : offsets[place + 1]].tolist() == value


def test_lists_without_gaps_lie_where_they_lay() -> None:
    lists = pa.array([[1, 2], None, [None, 3]], pa.list_(pa.int64()))
    found = without_gaps(lists)
    assert found.null_count == found.values.null_count == 0
    assert found.values.buffers()[1].address == lists.values.buffers()[1].address
    assert without_gaps(lists[:1]).to_pylist() == [[1, 2]]
    whole = pa.array([[1]])
    assert without_gaps(whole) is whole
    words = pa.array([["a"], None])
    assert without_gaps(words) is words


def test_a_view_cannot_be_written_to_and_a_copy_can() -> None:
    column = pa.array([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        as_numpy(column, "x")[0] = 5
    as_numpy(column, "x", copy=True)[0] = 5
    assert column.to_pylist() == [1, 2]
    assert np.shares_memory(as_numpy(column, "x"), as_numpy(column, "x", copy=False))
