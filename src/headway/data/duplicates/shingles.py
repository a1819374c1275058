"""Texts as sets of hashed shingles: all runs of five characters, spacing and case left aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.dataset import Dataset
from headway.data.duplicates.rowkeys import fold

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SHINGLE", "as_text", "codepoints", "comparable_texts", "jaccard", "shingle_hashes"]

SHINGLE = 5  # characters
_GAP = "\0" * SHINGLE  # behind every text, so that no window, even of "", reads into the next one
_HASH_BITS = 48  # of a shingle, beside 16 bits that number the pair


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as large_string without missing values; a list of words is joined with spaces."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = pc.binary_join(column.cast(pa.list_(pa.string())), " ")
    return pc.fill_null(column.cast(pa.large_string()), "")


def comparable_texts(data: Dataset, columns: Sequence[str]) -> pa.ChunkedArray:
    """One text a row: lower case, runs of white space as one space, a line for each column.

    Raises:
        DataError: a column that does not exist.

    >>> data = Dataset.from_columns({"a": ["One  two ", None], "b": ["X", "y"]})
    >>> comparable_texts(data, ["a", "b"]).to_pylist()
    ['one two\\nx', '\\ny']
    """
    folded = [fold(as_text(data.column(name)), ignore_spacing=True) for name in columns]
    texts = [pc.utf8_lower(column) for column in folded]
    if len(texts) == 1:
        return texts[0]
    joined: pa.ChunkedArray = pc.binary_join_element_wise(
        *texts, pa.scalar("\n", pa.large_string())
    )
    return joined


def shingle_hashes(
    texts: pa.Array,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(hashes, start of every text in them, its number of shingles) of a large_string array.

    Hashes between two texts belong to none. A text of fewer than five characters, also an empty
    one, is one shingle. Repeated shingles stand there repeatedly.

    >>> hashes, starts, counts = shingle_hashes(pa.array(["abcdef", "ab"], pa.large_string()))
    >>> counts.tolist(), starts.tolist(), hashes.dtype.name
    ([2, 1], [0, 11], 'uint64')
    """
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
    # One buffer of all texts, decoded at once: no Python object is made for a text.
    gap = pa.scalar(_GAP, pa.large_string())
    spaced = pc.binary_join_element_wise(texts, pa.scalar("", pa.large_string()), gap)
    return _rolling(codepoints(spaced)), _starts(lengths), np.maximum(lengths - SHINGLE + 1, 1)


def codepoints(texts: pa.Array) -> npt.NDArray[np.uint32]:
    """The Unicode code points of all texts of a large_string array, one behind another, uint32.

    >>> codepoints(pa.array(["ab", "é"], pa.large_string())).tolist()
    [97, 98, 233]
    """
    if not len(texts):
        return np.empty(0, np.uint32)
    ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]
    data = texts.buffers()[2].slice(int(ends[0]), int(ends[-1] - ends[0]))
    return np.frombuffer(str(data, "utf-8").encode("utf-32-le"), np.uint32)


def _starts(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths + len(_GAP))[:-1]]).astype(np.int64)


def _rolling(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """A well-mixed 64-bit hash of the five code points from each place on."""
    padded = np.concatenate([codes, np.zeros(SHINGLE - 1, np.uint32)]).astype(np.uint64)
    windows = len(codes)
    value = padded[:windows].copy()
    for place in range(1, SHINGLE):
        value *= np.uint64(0x9E3779B97F4A7C15)
        value += padded[place : place + windows]
    # The finalizer of SplitMix64 (Steele, Lea and Flood 2014): every bit depends on every other.
    value ^= value >> np.uint64(30)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return value


def jaccard(a: pa.Array, b: pa.Array) -> npt.NDArray[np.float64]:
    """Shared shingles of a[i] and b[i] by all their shingles, for at most 65,536 pairs of texts.

    Shingles are compared by 48 bits of their hashes: two of a pair that differ are taken for one
    another once in about 10^14.

    >>> a, b = (pa.array([t], pa.large_string()) for t in ("abcdef", "abcdex"))
    >>> jaccard(a, b).tolist()
    [0.3333333333333333]
    """
    left, right = _numbered(a), _numbered(b)
    shared = _per_pair(np.intersect1d(left, right, assume_unique=True), len(a))
    every = _per_pair(left, len(a)) + _per_pair(right, len(a)) - shared
    return np.divide(shared, every, dtype=np.float64)


def _numbered(texts: pa.Array) -> npt.NDArray[np.uint64]:
    """Distinct (number of the pair, shingle) of every text, sorted."""
    hashes, starts, counts = shingle_hashes(texts)
    pair = np.repeat(np.arange(len(texts)), counts)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = hashes[starts[pair] + within] >> np.uint64(64 - _HASH_BITS)
    chosen |= pair.astype(np.uint64) << np.uint64(_HASH_BITS)
    chosen.sort()  # several times faster than np.unique, which hashes first
    return chosen[np.append(True, chosen[1:] != chosen[:-1])]


def _per_pair(keys: npt.NDArray[np.uint64], pairs: int) -> npt.NDArray[np.int64]:
    found = np.bincount((keys >> np.uint64(_HASH_BITS)).astype(np.int64), minlength=pairs)
    return found.astype(np.int64)
