"""A hash of what a table holds, whatever its chunks, offsets and padding look like in memory."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data import offsets

__all__ = ["Blocks", "fingerprint"]

_ROWS_AT_ONCE = 1 << 12


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


class Blocks(Protocol):
    """What can be asked for a block of rows: a table, or rows that are gathered."""

    @property
    def num_rows(self) -> int:
        """How many there are."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types."""

    def slice(self, start: int, length: int, /) -> pa.Table:
        """Some rows."""


def fingerprint(table: pa.Table | Blocks) -> str:
    """`sha256:` and 64 hexadecimal digits over column names, types, order and every value.

    `string` and `large_string` count as one type, and so do `list` and `large_list`. The hash does
    not change with the machine, the Arrow version or the way the table was read.

    >>> import pyarrow as pa
    >>> whole = pa.table({"a": ["x", "y"]})
    >>> parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    >>> fingerprint(whole) == fingerprint(parts)
    True
    """
    import hashlib  # 4 ms that reading need not pay

    digest = hashlib.sha256(f"{table.num_rows} rows".encode())
    for field in table.schema:
        digest.update(f"\0{len(field.name.encode())} {field.name} {_kind(field.type)}".encode())
    # Blocks of rows are cut at fixed places, so the chunks of the table leave no trace.
    for start in range(0, table.num_rows, _ROWS_AT_ONCE):
        for column in table.slice(start, _ROWS_AT_ONCE).columns:
            _add(digest, _one(column))
    return f"sha256:{digest.hexdigest()}"


def _one(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, with offsets of 64 bits where those of 32 may not reach."""
    if column.num_chunks > 1 and column.nbytes > offsets.MOST // 8:
        column = column.cast(offsets.wide(column.type))
    return pa.concat_arrays(column.chunks)


def _add(digest: _Hash, array: pa.Array) -> None:
    """Adds the values of one array; what lies in memory under a missing value is left out."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    digest.update(len(array).to_bytes(8, "little") + array.null_count.to_bytes(8, "little"))
    if array.null_count:
        digest.update(_bytes(array.is_null()))
    kind = array.type
    if pa.types.is_struct(kind):
        for part in array.flatten():
            _add(digest, part)
    elif _is_list(kind):
        _add(digest, pc.fill_null(pc.list_value_length(array), 0).cast(pa.int64()))
        _add(digest, array.flatten())
    elif _is_text(kind):
        texts = pc.fill_null(array.cast(pa.large_binary()), b"")
        _add(digest, pc.binary_length(texts))
        digest.update(_characters(texts))
    elif pa.types.is_null(kind):
        pass
    elif pa.types.is_primitive(kind) or pa.types.is_boolean(kind):
        digest.update(_bytes(array))
    else:
        digest.update(repr(array.to_pylist()).encode())


def _bytes(array: pa.Array) -> bytes:
    """The values as little-endian bytes, zero where missing."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int64() if array.type.bit_width == 64 else pa.int32())
    filled = pc.fill_null(array, 0) if array.null_count else array
    return bytes(filled.to_numpy(zero_copy_only=False).tobytes())


def _characters(texts: pa.Array) -> bytes:
    """The bytes of all texts one after the other; none may be missing."""
    _, starts, data = texts.buffers()
    ends = np.frombuffer(starts, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return b"" if data is None else data.slice(ends[0], ends[-1] - ends[0]).to_pybytes()


def _is_text(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if _is_list(kind):
        return f"list<{_kind(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_kind(field.type)}' for field in kind)}>"
    return str(kind).removeprefix("large_")
