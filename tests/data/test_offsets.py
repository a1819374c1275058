"""Rows that one array could not count are gathered into several, and are the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset, offsets
from headway.data.offsets import sizes

KINDS = {
    "text": (pa.string(), st.text("aäx", max_size=9)),
    "bytes": (pa.binary(), st.binary(max_size=9)),
    "wide": (pa.large_string(), st.text("a", max_size=9)),
    "lists": (pa.list_(pa.int8()), st.lists(st.integers(0, 9), max_size=9)),
    "flags": (pa.list_(pa.bool_()), st.lists(st.booleans(), max_size=9)),
    "words": (pa.list_(pa.string()), st.lists(st.text("ab", max_size=5), max_size=5)),
    "wide_words": (pa.large_list(pa.string()), st.lists(st.text("ab", max_size=5), max_size=5)),
    "pairs": (
        pa.list_(pa.string(), 2),
        st.lists(st.text("ab", max_size=5), min_size=2, max_size=2),
    ),
    "map": (
        pa.map_(pa.string(), pa.list_(pa.int8())),
        st.lists(st.tuples(st.text("k", max_size=4), st.lists(st.integers(0, 9), max_size=3))),
    ),
    "struct": (
        pa.struct({"a": pa.string(), "b": pa.list_(pa.int64())}),
        st.fixed_dictionaries(
            {"a": st.text("ab", max_size=5), "b": st.lists(st.integers(0, 9), max_size=4)}
        ),
    ),
    "number": (pa.int64(), st.integers(0, 9)),
}


def counted(kind: pa.DataType, value: Any) -> list[int]:
    """What offsets of 32 bits count of one value, slowly."""
    if value is None:
        value = {} if pa.types.is_struct(kind) else []
    if pa.types.is_struct(kind):
        return [n for f in kind for n in counted(f.type, value.get(f.name) if value else None)]
    if pa.types.is_map(kind):
        parts = [(kind.key_type, [k for k, _ in value]), (kind.item_type, [i for _, i in value])]
        inside = [n for part, values in parts for n in summed(part, values)]
        return [len(value), *inside]
    if pa.types.is_nested(kind):
        own = [len(value)] if pa.types.is_list(kind) else []
        return own + summed(kind.value_type, value)
    if pa.types.is_string(kind):
        return [len(value.encode() if value else b"")]
    return [len(value)] if pa.types.is_binary(kind) else []


def summed(kind: pa.DataType, values: list[Any]) -> list[int]:
    each = [counted(kind, value) for value in values] or [[0] * len(counted(kind, None))]
    return [sum(ns) for ns in zip(*each, strict=True)]


@settings(deadline=None)
@pytest.mark.parametrize("name", KINDS)
@given(drawn=st.data())
def test_sizes_are_what_a_slow_count_says(name: str, drawn: st.DataObject) -> None:
    kind, values = KINDS[name]
    rows = drawn.draw(st.lists(values, min_size=1, max_size=8))
    skipped = drawn.draw(st.integers(0, len(rows) - 1))
    array, rows = pa.array(rows, kind).slice(skipped), rows[skipped:]
    places = np.array(drawn.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)), np.int64)
    found = [one.tolist() for one in sizes(array, places, places + 1)]
    expected = [counted(kind, rows[place]) for place in places]
    assert found == [list(ns) for ns in zip(*expected, strict=True)] or not expected


@settings(deadline=None)
@given(drawn=st.data(), most=st.integers(18, 60))
def test_gathered_rows_are_the_same_in_as_many_chunks_as_it_takes(
    drawn: st.DataObject, most: int
) -> None:
    size = drawn.draw(st.integers(1, 12))
    columns = {
        name: pa.array(drawn.draw(st.lists(values | st.none(), min_size=size, max_size=size)), kind)
        for name, (kind, values) in KINDS.items()
    }
    table = pa.table(columns)
    cut = drawn.draw(st.integers(0, size))
    data = Dataset(pa.concat_tables([table[:cut], table[cut:]]))
    order = drawn.draw(st.lists(st.integers(0, size - 1), max_size=40))
    expected = [table.slice(row, 1).to_pylist()[0] for row in order]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offsets, "MOST", most)
        assert list(data.select(order)) == expected
        whole = data.select(order).to_arrow()
        marks = {data.select(order).fingerprint, Dataset(whole).fingerprint}
    assert whole.to_pylist() == expected
    assert marks == {Dataset(whole.take(pa.array(range(len(order)), pa.int64()))).fingerprint}
    for name in ("text", "bytes", "lists"):
        for chunk in whole.column(name).chunks:
            values = chunk.drop_null().to_pylist()
            assert sum(len(v.encode() if name == "text" else v) for v in values) <= most


def test_one_long_row_many_times_needs_several_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets, "MOST", 100)
    data = Dataset.from_columns({"text": ["x" * 40, "y"], "n": [0, 1]})
    many = data.select([0, 1] * 50)
    assert max(len("".join(chunk.to_pylist())) for chunk in many.column("text").chunks) <= 100
    assert many.column("n").num_chunks == 1
    assert many["text"] == ["x" * 40, "y"] * 50
    assert many.fingerprint == Dataset.from_columns(many.to_arrow().to_pydict()).fingerprint


@pytest.mark.slow
def test_two_gigabytes_of_text_in_one_block() -> None:
    text = "x" * (1 << 20)
    # Rows are short on average, so a block is one of thousands of them.
    data = Dataset.from_columns({"text": [text, *["y"] * 20_000]}).select([0, 1] * 2200)
    column = data.column("text")
    assert column.type == pa.string() and column.num_chunks == 2
    assert pc.binary_length(column).to_pylist() == [1 << 20, 1] * 2200
    for row in (0, 1, 4398, 4399):
        assert column[row].as_py() == (text if row % 2 == 0 else "y")
