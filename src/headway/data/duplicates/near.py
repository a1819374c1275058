"""Texts that are almost the same: copies with a word changed, a line added, a comma lost.

Two rows are near duplicates when their texts share at least a given part of their shingles (the
Jaccard similarity of all runs of five characters), or when they are chained by such pairs.
MinHash (`minhash.py`) proposes pairs, and each is verified on the shingles themselves: a pair that
is reported is one, and of the pairs at the threshold about one in a hundred is missed, of more
similar ones fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data import compute as pc
from headway.data.dataset import Dataset
from headway.data.duplicates.minhash import MINIMA, Sketch, sketch
from headway.data.duplicates.shingles import jaccard

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NEAR", "groups_of", "matches_of", "near_groups", "near_matches"]

NEAR = 0.8
_COMPARED = 32  # texts of one bucket that a text is compared with
_PAIRS_AT_ONCE = 1 << 14
_CHARACTERS_AT_ONCE = 1 << 22
_DEVIATIONS = 3  # that an estimate may lie below the threshold


def near_groups(
    data: Dataset, columns: Sequence[str], *, threshold: float = NEAR
) -> npt.NDArray[np.int64]:
    """For every row the first row of its group of near duplicates, int64 [rows].

    Args:
        data: the rows; a missing text counts as an empty one.
        columns: the texts that are compared, together.
        threshold: the Jaccard similarity, 0.1 to 1, from which two texts belong together.

    Raises:
        ConfigError: the threshold.
        DataError: a column that does not exist.

    >>> texts = ["The parcel came two days late.", "a cat", "The parcel came 2 days late!", "A cat"]
    >>> near_groups(Dataset.from_columns({"text": texts}), ["text"], threshold=0.5).tolist()
    [0, 1, 0, 1]
    """
    return groups_of(sketch(data, columns, threshold=threshold))


def near_matches(
    train: Dataset, test: Dataset, columns: Sequence[str], *, threshold: float = NEAR
) -> npt.NDArray[np.int64]:
    """For every row of test a row of train that is near it, or -1, int64 [test rows].

    Raises:
        ConfigError: the threshold.
        DataError: a column that does not exist in one of the two.

    >>> train = Dataset.from_columns({"text": ["It works very well for me.", "no"]})
    >>> test = Dataset.from_columns({"text": ["yes", "it works very well for me"]})
    >>> near_matches(train, test, ["text"]).tolist()
    [-1, 0]
    """
    known, asked = (sketch(data, columns, threshold=threshold) for data in (train, test))
    return matches_of(known, asked)


def groups_of(rows: Sketch) -> npt.NDArray[np.int64]:
    """`near_groups` from signatures that are there already."""
    parent = np.arange(len(rows.texts), dtype=np.int64)
    for keys in rows.keys:
        order = np.argsort(keys, kind="stable")
        sorted_keys = keys[order]
        for step in range(1, _COMPARED + 1):
            places = np.flatnonzero(sorted_keys[:-step] == sorted_keys[step:])
            if not len(places):
                break
            a, b = order[places], order[places + step]
            apart = _roots(parent, a) != _roots(parent, b)
            for pairs in _near(rows, rows, a[apart], b[apart]):
                _join(parent, *pairs)
    # Distinct texts are numbered by their first rows, so that the root, the smallest, comes first.
    return rows.first_rows()[_roots(parent, np.arange(len(parent)))][rows.codes]


def matches_of(known: Sketch, asked: Sketch) -> npt.NDArray[np.int64]:
    """`near_matches` from two signatures of one threshold."""
    found = pc.index_in(asked.texts, known.texts).fill_null(-1).to_numpy().astype(np.int64)
    for known_keys, asked_keys in zip(known.keys, asked.keys, strict=True):
        order = np.argsort(known_keys, kind="stable")
        sorted_keys = known_keys[order]
        first = np.searchsorted(sorted_keys, asked_keys, side="left")
        behind = np.searchsorted(sorted_keys, asked_keys, side="right")
        for step in range(_COMPARED):
            rows = np.flatnonzero((first + step < behind) & (found < 0))
            if not len(rows):
                break
            for a, b in _near(known, asked, order[first[rows] + step], rows):
                found[b] = a
    places = np.append(known.first_rows(), -1)
    return places[found][asked.codes]


def _near(
    left: Sketch, right: Sketch, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Of the pairs (text a[i] of left, text b[i] of right) those that are near, in blocks."""
    threshold = left.threshold
    # Most candidates are far off, and their signatures say so at a fraction of the cost.
    slack = _DEVIATIONS * np.sqrt(threshold * (1 - threshold) / MINIMA)
    for start in range(0, len(a), _PAIRS_AT_ONCE):
        some_a, some_b = a[start : start + _PAIRS_AT_ONCE], b[start : start + _PAIRS_AT_ONCE]
        likely = (left.minima[some_a] == right.minima[some_b]).mean(axis=1) >= threshold - slack
        some_a, some_b = some_a[likely], some_b[likely]
        texts_a, texts_b = left.texts.take(pa.array(some_a)), right.texts.take(pa.array(some_b))
        for part in _light_parts(texts_a, texts_b):
            near = jaccard(texts_a[part], texts_b[part]) >= threshold
            yield some_a[part][near], some_b[part][near]


def _light_parts(a: pa.Array, b: pa.Array) -> Iterator[slice]:
    """Slices of the pairs with a bounded number of characters, or one pair."""
    sizes = pc.add(pc.binary_length(a), pc.binary_length(b)).to_numpy()
    before = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    while start < len(sizes):
        end = int(np.searchsorted(before, before[start] + _CHARACTERS_AT_ONCE, side="right")) - 1
        end = max(end, start + 1)
        yield slice(start, end)
        start = end


def _roots(parent: npt.NDArray[np.int64], texts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    roots = parent[texts]
    while (above := parent[roots] != roots).any():
        roots[above] = parent[roots[above]]
    return roots


def _join(
    parent: npt.NDArray[np.int64], a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]
) -> None:
    """Puts the trees of a[i] and b[i] under the smaller root, for all pairs."""
    while len(a):
        roots_a, roots_b = _roots(parent, a), _roots(parent, b)
        apart = roots_a != roots_b
        a, b, roots_a, roots_b = a[apart], b[apart], roots_a[apart], roots_b[apart]
        np.minimum.at(parent, np.maximum(roots_a, roots_b), np.minimum(roots_a, roots_b))
        parent[a], parent[b] = _roots(parent, a), _roots(parent, b)
