"""Several short rows in one sequence: whole rows, or one stream of tokens in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.batches.buckets import Pieces
from headway.data.batches.shuffling import ranked
from headway.data.check_whole import check_whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Blocks", "Packing"]


@dataclass(frozen=True)
class Packing:
    """Whole rows packed into sequences of at most `length` tokens, by first fit decreasing.

    No row is split: one that is longer than `length` is a sequence of its own. The pieces of a
    batch say where each row begins, so that attention can be kept inside rows.

    First fit decreasing needs at most 11/9 of the fewest possible sequences, and 6/9 of one more
    (Dósa, "The tight bound of first fit decreasing bin-packing algorithm", 2007).

    Args:
        length: most tokens in a sequence.
        sequences: sequences in a batch.

    >>> pieces = Packing(10, sequences=2)(np.array([3, 9, 4, 2]), np.zeros(4, np.uint64))
    >>> pieces.rows, pieces.sequences, pieces.batches
    (array([1, 2, 0, 3]), array([1, 4]), array([2]))
    """

    length: int
    sequences: int = 1

    def __post_init__(self) -> None:
        check_whole("Packing(length=", self.length)
        check_whole("Packing(sequences=", self.sequences)

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        order = ranked(keys, lengths)
        bins = _first_fit(lengths[order].tolist(), self.length)
        heads = order[[places[0] for places in bins]] if bins else order
        # What stands beside each other in a batch is chance, not fullness.
        chosen = ranked(keys[heads]) if keys.any() else range(len(bins))
        bins = [bins[number] for number in chosen]
        rows = order[[place for places in bins for place in places]] if bins else order
        ends = np.cumsum([len(places) for places in bins], dtype=np.int64)
        batches = _every(len(bins), self.sequences)
        return Pieces(rows, np.zeros_like(rows), lengths[rows], ends, batches)


@dataclass(frozen=True)
class Blocks:
    """One stream of tokens, row after row, cut into sequences of exactly `length`: pre-training.

    Rows are split where a block ends. No token is lost: the last block of a window is shorter. A
    row without tokens is in no block.

    Args:
        length: tokens in a sequence.
        sequences: sequences in a batch.

    >>> pieces = Blocks(4)(np.array([3, 5]), np.zeros(2, np.uint64))
    >>> pieces.rows, pieces.starts, pieces.lengths
    (array([0, 1, 1]), array([0, 0, 1]), array([3, 1, 4]))
    """

    length: int
    sequences: int = 1

    def __post_init__(self) -> None:
        check_whole("Blocks(length=", self.length)
        check_whole("Blocks(sequences=", self.sequences)

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        order = ranked(keys)
        row_ends = lengths[order].cumsum()
        total = int(row_ends[-1]) if len(row_ends) else 0
        block_ends = _every(total, self.length)
        ends = np.union1d(row_ends[row_ends > 0], block_ends)
        starts = np.concatenate([[0], ends[:-1]])[: len(ends)]
        places = row_ends.searchsorted(starts, side="right")
        within = starts - (row_ends - lengths[order])[places]
        sequences = ends.searchsorted(block_ends) + 1
        batches = _every(len(block_ends), self.sequences)
        return Pieces(order[places], within, ends - starts, sequences, batches)


def _every(total: int, step: int) -> npt.NDArray[np.int64]:
    """step, 2 * step, ... and total."""
    return np.arange(step, total + step, step, dtype=np.int64).clip(max=total)


def _first_fit(lengths: list[int], room: int) -> list[list[int]]:
    """Places of falling lengths in bins of `room`, as first fit decreasing fills them.

    Bin after bin takes the longest that still fits, which gives the bins of the textbook's way
    (each row into the first bin that has room) in almost linear time.
    """
    bins: list[list[int]] = []
    following = list(range(len(lengths) + 1))  # the next place not yet taken, at or behind each

    def free(place: int) -> int:
        root = place
        while following[root] != root:
            root = following[root]
        while following[place] != root:
            following[place], place = root, following[place]
        return root

    fits = _first_that_fits(lengths, room)
    while (place := free(0)) < len(lengths):
        left = room - lengths[place]
        bins.append([place])
        following[place] = place + 1
        while left >= 0 and (place := free(max(place, fits[left]))) < len(lengths):
            left -= lengths[place]
            bins[-1].append(place)
            following[place] = place + 1
    return bins


def _first_that_fits(lengths: list[int], room: int) -> list[int]:
    """For each room left, the first place whose length is not above it."""
    descending = np.asarray(lengths, dtype=np.int64)[::-1]
    rooms = np.arange(room + 1)
    found: list[int] = (len(lengths) - descending.searchsorted(rooms, side="right")).tolist()
    return found
