"""What the 32-bit offsets of an Arrow array can count, and what rows would make them count.

An array of `string`, `binary`, `list` or `map` counts the bytes, or the values, of all its rows in
32 bits. Rows gathered from many places, or the same row many times, may need more than one array.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt

    Places = npt.NDArray[np.int64]

__all__ = ["MOST", "sizes", "wide"]

MOST = (1 << 31) - 1
"""What offsets of 32 bits can count."""


def wide(kind: pa.DataType) -> pa.DataType:
    """The same type with offsets of 64 bits, also inside; maps have no such type.

    >>> wide(pa.list_(pa.string()))
    LargeListType(large_list<item: large_string>)
    """
    if pa.types.is_string(kind):
        return pa.large_string()
    if pa.types.is_binary(kind):
        return pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(wide(kind.value_type)))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(wide(kind.value_type)), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(wide(field.type)) for field in kind])
    return kind


def sizes(array: pa.Array, first: Places, behind: Places) -> Iterator[Places]:
    """What 32-bit offsets count of spans of an array, for the array and each one inside it.

    Args:
        array: of any type; those without such offsets give nothing.
        first: int64 [n]: where each span begins.
        behind: int64 [n]: where it ends.

    >>> one, two = np.array([1]), np.array([2])
    >>> list(sizes(pa.array([["a"], ["bc", "d"]]), one, two))
    [array([2]), array([3])]
    """
    kind = array.type
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from sizes(array.field(number), first, behind)
    elif pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        first, behind = (first + array.offset) * size, (behind + array.offset) * size
        yield from sizes(array.values, first, behind)
    elif pa.types.is_map(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        offsets = array.offsets.to_numpy()
        first, behind = offsets[first].astype(np.int64), offsets[behind].astype(np.int64)
        if not pa.types.is_large_list(kind):
            yield behind - first
        for inside in (array.keys, array.items) if pa.types.is_map(kind) else (array.values,):
            yield from sizes(inside, first, behind)
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        buffer = array.buffers()[1]
        if buffer is None or not buffer.size:
            yield np.zeros_like(first)
            return
        offsets = np.frombuffer(buffer, np.int32)
        yield offsets[array.offset + behind].astype(np.int64) - offsets[array.offset + first]
