"""When two rows count as the same: one integer code a row, equal exactly where the rows are.

Texts are the same when they are equal after white space at both ends is dropped and `\\r\\n` is
read as `\\n`. With `ignore_spacing`, every run of white space (any that Unicode knows) counts as
one space as well. Case, accents and punctuation always count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from headway.data import compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Columnar", "fold", "row_codes"]

# What str.split() splits at: the separators, and the control characters that are white space.
_SPACES = "[\\p{Z}\\x{9}-\\x{d}\\x{1c}-\\x{1f}\\x{85}]+"


def fold(texts: pa.ChunkedArray, *, ignore_spacing: bool = False) -> pa.ChunkedArray:
    """The texts in the form in which they are compared, as large_string."""
    texts = texts.cast(pa.large_string())
    if ignore_spacing:
        return pc.utf8_trim(pc.replace_substring_regex(texts, _SPACES, " "), " ")
    return pc.replace_substring(pc.utf8_trim_whitespace(texts), "\r\n", "\n")


class Columnar(Protocol):
    """What has columns by name: a table, or rows of one, of which only those asked are gathered."""

    @property
    def num_rows(self) -> int:
        """How many rows there are."""

    def column(self, name: str, /) -> pa.ChunkedArray:
        """One column."""


def row_codes(
    tables: Sequence[pa.Table | Columnar], columns: Sequence[str], *, ignore_spacing: bool = False
) -> list[npt.NDArray[np.int64]]:
    """For each table one int64 a row; two rows of any table share it when they are the same.

    Args:
        tables: tables, or `Dataset.rows`, that all have `columns`.
        columns: what is compared; the other columns do not count.
        ignore_spacing: see the module's notion of sameness.
    """
    total = sum(table.num_rows for table in tables)
    codes = np.zeros(total, dtype=np.int64)
    for name in columns:
        values = [_comparable(table.column(name), ignore_spacing) for table in tables]
        if len({column.type for column in values}) > 1:
            values = [column.cast(pa.large_string()) for column in values]
        chunks = [chunk for column in values for chunk in column.chunks]
        column = pa.chunked_array(chunks, type=values[0].type)
        if not len(column):
            continue
        encoded = column.dictionary_encode(null_encoding="encode").combine_chunks()
        found = _indices(encoded)
        # Dense again after every column, so that the product cannot overflow.
        codes = np.unique(codes * (found.max() + 1) + found, return_inverse=True)[1].reshape(-1)
        codes = codes.astype(np.int64)
    ends = np.cumsum([table.num_rows for table in tables])[:-1]
    return np.split(codes, ends)


def _indices(encoded: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    chunks = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    return np.concatenate([chunk.indices.to_numpy() for chunk in chunks]).astype(np.int64)


def _comparable(column: pa.ChunkedArray, ignore_spacing: bool) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return fold(column, ignore_spacing=ignore_spacing)
    if pa.types.is_nested(column.type):
        written = [
            None if value is None else json.dumps(value, default=str)
            for value in column.to_pylist()
        ]
        return pa.chunked_array([pa.array(written, pa.large_string())])
    return column
