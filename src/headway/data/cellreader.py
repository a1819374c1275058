"""Single values of a column as Python objects, read out of the buffers in place.

Arrow converts many values at a time fast, but makes a scalar object for a single one. For the
common types its value is found here without one; all others take Arrow's way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from headway.data.tables import is_text

__all__ = ["cell_reader"]

_NUMBERS = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16()),
    *(pa.uint32(), pa.uint64(), pa.float32(), pa.float64()),
)
_LETTERS = dict(zip(_NUMBERS, "bhiqBHIQfd", strict=True))  # as `memoryview.cast` names them


def cell_reader(column: pa.ChunkedArray) -> Callable[[int], Any]:
    """A function that gives the value of one row as a Python object, in about a microsecond.

    Args:
        column: any column; the function keeps it alive.

    >>> read = cell_reader(pa.chunked_array([["a"], ["b", None]]))
    >>> read(0), read(2)
    ('a', None)
    """
    chunks = [chunk for chunk in column.chunks if len(chunk)]
    ends = np.cumsum([len(chunk) for chunk in chunks]).tolist()
    starts = [0, *ends]
    readers: list[Callable[[int], Any] | None] = [None] * len(chunks)

    def read(row: int) -> Any:
        chunk = bisect_right(ends, row)
        reader = readers[chunk]
        if reader is None:
            reader = readers[chunk] = _chunk_reader(chunks[chunk])
        return reader(row - starts[chunk])

    return read


def _chunk_reader(array: pa.Array) -> Callable[[int], Any]:
    kind, shift, buffers = array.type, array.offset, array.buffers()
    if array.null_count:
        return lambda row: array[row].as_py()
    if kind in _LETTERS:
        numbers = memoryview(buffers[1]).cast("B").cast(_LETTERS[kind])
        return lambda row: numbers[row + shift]
    if is_text(kind):
        ends = _ends(buffers[1], wide=pa.types.is_large_string(kind))
        data = memoryview(buffers[2] if buffers[2] is not None else b"")
        return lambda row: str(data[ends[row + shift] : ends[row + shift + 1]], "utf-8")
    if (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and kind.value_type in _LETTERS:
        inside = array.values
        if not inside.null_count:
            ends = _ends(buffers[1], wide=pa.types.is_large_list(kind))
            start, data = inside.offset, inside.buffers()[1]
            whole = memoryview(data if data is not None else b"").cast("B")
            items = whole.cast(_LETTERS[kind.value_type])
            return lambda row: items[
                start + ends[row + shift] : start + ends[row + shift + 1]
            ].tolist()
    return lambda row: array[row].as_py()


def _ends(buffer: pa.Buffer, *, wide: bool) -> memoryview:
    return memoryview(buffer).cast("B").cast("q" if wide else "i")
