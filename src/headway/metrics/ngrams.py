"""n-grams of many rows at once: how many two columns of token lists share, row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Grams", "grams_of", "shared_grams"]

Ints: TypeAlias = npt.NDArray[np.int64]
Tokens: TypeAlias = Sequence[str]


@dataclass(frozen=True)
class Grams:
    """The n-grams of all rows of a column, as numbers that mean the same in every column.

    Args:
        row: the row of each n-gram [n-grams].
        code: its number [n-grams].
        per_row: how many each row has [rows].
    """

    row: Ints
    code: Ints
    per_row: Ints


def grams_of(*columns: Sequence[Tokens], n: int) -> list[Grams]:
    """The n-grams of each column; a row of fewer than `n` tokens has none."""
    code: defaultdict[str, int] = defaultdict(count().__next__)
    lengths = [np.fromiter(map(len, rows), dtype=np.int64, count=len(rows)) for rows in columns]
    per_column = [int(each.sum()) for each in lengths]
    flat = np.fromiter(
        map(code.__getitem__, chain.from_iterable(chain.from_iterable(columns))),
        dtype=np.int64,
        count=sum(per_column),
    )  # [tokens of all columns]
    rows = np.repeat(np.arange(sum(map(len, columns))), np.concatenate(lengths))
    codes, kept = flat, len(flat)
    for more in range(1, n):
        kept = max(0, len(flat) - more)
        # Numbers of shorter n-grams stay below 2**31, so that two of them fit into 64 bits.
        codes = np.unique(codes[:kept] * max(1, len(code)) + flat[more:], return_inverse=True)[1]
    last = len(flat) - kept
    whole = rows[:kept] == rows[last:]
    row, codes = rows[:kept][whole], codes[:kept][whole]
    found, first = [], 0
    for column in columns:
        end = first + len(column)
        chosen = slice(*np.searchsorted(row, [first, end]))
        own = row[chosen] - first
        found.append(Grams(own, codes[chosen], np.bincount(own, minlength=len(column))))
        first = end
    return found


def shared_grams(first: Grams, second: Grams) -> Ints:
    """How many n-grams each row of two columns has in common, counted as often as in both.

    >>> a, b = grams_of([["x", "x", "y"]], [["x", "x", "x"]], n=1)
    >>> shared_grams(a, b).tolist()
    [2]
    """
    width = 1 + max((int(each.code.max()) for each in (first, second) if len(each.code)), default=0)
    here, times_here = np.unique(first.row * width + first.code, return_counts=True)
    there, times_there = np.unique(second.row * width + second.code, return_counts=True)
    both, at_here, at_there = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    times = np.minimum(times_here[at_here], times_there[at_there])
    shared = np.bincount(both // width, weights=times, minlength=len(first.per_row))
    return shared.astype(np.int64)
