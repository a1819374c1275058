"""MinHash: a short signature of every text, whose parts agree as often as the texts' shingles do.

For a random order of all shingles, two texts have the same smallest one with the probability of
their Jaccard similarity. 128 orders make a signature; it is cut into bands, and texts that agree in
a whole band are candidates. After Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900, and
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3, http://www.mmds.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.dataset import Dataset
from headway.data.duplicates.shingles import SHINGLE, comparable_texts, shingle_hashes
from headway.errors import ConfigError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MINIMA", "Sketch", "bands_for", "sketch"]

MINIMA = 128
_RECALL = 0.99  # of pairs exactly at the threshold, that bands are chosen for
_SEED = 20_121_212
_AT_ONCE = 1 << 17  # shingles whose hashes fit into a processor's cache
_PIECE = 1 << 20  # characters of a long text
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is remembered of the distinct texts of a data set, about 300 bytes each.

    threshold: the similarity from which texts are near duplicates.
    texts: the distinct texts as they are compared, large_string [distinct].
    codes: which of them a row has, int64 [rows].
    keys: a number a band, uint64 [bands, distinct].
    minima: the lowest byte of every minimum, uint8 [distinct, 128].
    """

    threshold: float
    texts: pa.Array
    codes: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    minima: npt.NDArray[np.uint8]

    def first_rows(self) -> npt.NDArray[np.int64]:
        """The first row that has each distinct text, int64 [distinct]."""
        first: npt.NDArray[np.int64] = np.unique(self.codes, return_index=True)[1]
        return first


def bands_for(threshold: float) -> tuple[int, int]:
    """(bands, minima in a band): the longest bands that still find 99% of pairs at the threshold.

    A pair of similarity s agrees in one of b bands of r minima with probability 1 - (1 - s^r)^b.

    Raises:
        ConfigError: a threshold outside of 0.1 to 1.

    >>> bands_for(0.8), bands_for(0.5)
    ((21, 6), (42, 3))
    """
    if not 0.1 <= threshold <= 1:
        raise ConfigError(
            f"a threshold of {threshold} for near duplicates",
            allowed="0.1 to 1: the share of shingles that two texts have in common",
        )
    found = [
        rows
        for rows in range(1, MINIMA + 1)
        if 1 - (1 - threshold**rows) ** (MINIMA // rows) >= _RECALL
    ]
    return MINIMA // max(found), max(found)


def sketch(data: Dataset, columns: Sequence[str], *, threshold: float) -> Sketch:
    """The signatures of the rows of a data set, in blocks whose hashes fit into a cache.

    Args:
        data: the rows.
        columns: the texts that are compared, together.
        threshold: from 0.1 to 1.

    Raises:
        ConfigError: the threshold.
        DataError: a column that does not exist.

    >>> data = Dataset.from_columns({"text": ["a b", "A  b", "c"]})
    >>> sketch(data, ["text"], threshold=0.8).codes.tolist()
    [0, 0, 1]
    """
    bands, width = bands_for(threshold)
    encoded = pa.chunked_array([comparable_texts(data, columns).combine_chunks()])
    encoded = encoded.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    texts = encoded.dictionary
    keys = np.empty((bands, len(texts)), np.uint64)
    minima = np.empty((len(texts), MINIMA), np.uint8)
    for rows, block in _blocks(texts):
        found = _signatures(block)  # [128, texts]
        minima[rows] = found.T.astype(np.uint8)
        for band in range(bands):
            keys[band, rows] = _mixed(found[band * width : (band + 1) * width])
    return Sketch(threshold, texts, encoded.indices.to_numpy().astype(np.int64), keys, minima)


def _blocks(texts: pa.Array) -> Iterator[tuple[npt.NDArray[np.int64], pa.Array]]:
    """Texts of about the same length together, so that little is padded."""
    lengths = pc.utf8_length(texts).to_numpy()
    order = np.argsort(lengths, kind="stable")
    end = len(order)
    while end:
        longest = int(lengths[order[end - 1]]) + 1
        start = max(0, end - max(1, _AT_ONCE // longest))
        yield order[start:end], texts.take(pa.array(order[start:end]))
        end = start


def _signatures(texts: pa.Array) -> npt.NDArray[np.uint32]:
    """The smallest value of every hash function over the shingles of each text [128, texts]."""
    if len(texts) == 1 and len(texts[0].as_py()) > _PIECE:
        text = texts[0].as_py()
        starts = range(0, len(text) - SHINGLE + 1, _PIECE)
        pieces = [text[start : start + _PIECE + SHINGLE - 1] for start in starts]
        found = [_signatures_at_once(pa.array([one], pa.large_string())) for one in pieces]
        result: npt.NDArray[np.uint32] = np.min(found, axis=0)
        return result
    return _signatures_at_once(texts)


def _signatures_at_once(texts: pa.Array) -> npt.NDArray[np.uint32]:
    hashes, starts, counts = shingle_hashes(texts)
    places = np.minimum(np.arange(counts.max())[:, None], counts - 1) + starts  # [most, texts]
    short = (hashes >> np.uint64(32)).astype(np.uint32)[places]
    moved = np.empty_like(short)
    smallest = np.empty((MINIMA, len(texts)), np.uint32)
    # x -> factor * x + shift modulo 2^32 is a permutation for every odd factor.
    for number, (factor, shift) in enumerate(zip(*_permutations(), strict=True)):
        np.multiply(short, factor, out=moved)
        moved += shift
        np.minimum.reduce(moved, axis=0, out=smallest[number])
    return smallest


def _permutations() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    draw = np.random.default_rng(_SEED)
    factors, shifts = draw.integers(0, 1 << 32, size=(2, MINIMA), dtype=np.uint32)
    return factors | np.uint32(1), shifts


def _mixed(minima: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """One number for the minima of a band [width, texts] -> [texts]."""
    key = np.zeros(minima.shape[1], np.uint64)
    for row in minima:
        key = (key ^ row) * _MIX
        key ^= key >> np.uint64(29)
    return key
