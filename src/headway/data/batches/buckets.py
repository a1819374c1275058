"""How the rows of one window become batches: a cut is a brick that `Loader` is handed.

A cut sees the lengths of some thousands of rows and a random number for each, and gives `Pieces`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from headway.data.batches.shuffling import ranked
from headway.data.check_whole import check_whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Cut", "PaddedBudget", "Pieces", "RowCount", "TokenBudget"]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Rows, or parts of rows, in order, and where sequences and batches end.

    Attributes:
        rows: int64 [pieces]: the row that each is of.
        starts: int64 [pieces]: its first token in that row.
        lengths: int64 [pieces]: its tokens.
        sequences: int64 [sequences]: the piece behind the last one of each sequence.
        batches: int64 [batches]: the sequence behind the last one of each batch.
    """

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    sequences: npt.NDArray[np.int64]
    batches: npt.NDArray[np.int64]

    @classmethod
    def whole(
        cls,
        rows: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        batches: list[int] | npt.NDArray[np.int64],
    ) -> Pieces:
        """Rows that are each one piece and one sequence."""
        ends = np.arange(1, len(rows) + 1)
        return cls(rows, np.zeros_like(rows), lengths, ends, np.asarray(batches, np.int64))


class Cut(Protocol):
    """Lengths int64 [rows] and random keys uint64 [rows] -> pieces of the places 0 to rows - 1.

    Keys that are all 0 ask for an order without chance. `repr` says all settings.
    """

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        ...


@dataclass(frozen=True)
class TokenBudget:
    """Batches of rows of like length with at most `tokens` tokens, none of them padding.

    Args:
        tokens: most tokens in a batch. A row that alone has more is a batch of its own.

    >>> pieces = TokenBudget(10)(np.array([3, 9, 4, 2]), np.zeros(4, np.uint64))
    >>> pieces.rows, pieces.batches
    (array([1, 2, 0, 3]), array([1, 4]))
    """

    tokens: int

    def __post_init__(self) -> None:
        check_whole("TokenBudget(tokens=", self.tokens)

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        order = ranked(keys, lengths)
        lengths = lengths[order]
        before = np.concatenate([[0], lengths.cumsum()])
        ends: list[int] = []
        start = 0
        while start < len(order):
            limit = before[start] + self.tokens
            start = max(start + 1, int(before.searchsorted(limit, side="right")) - 1)
            ends.append(start)
        return Pieces.whole(order, lengths, ends)


@dataclass(frozen=True)
class PaddedBudget:
    """Batches of rows of like length that padded have at most `tokens` places.

    Args:
        tokens: most places: rows times the longest of them, rounded up. A row that alone needs
            more is a batch of its own.
        multiple_of: what the longest is rounded up to, as in `Batch.padded`.

    >>> PaddedBudget(10)(np.array([3, 9, 4, 2]), np.zeros(4, np.uint64)).batches
    array([1, 3, 4])
    """

    tokens: int
    multiple_of: int = 1

    def __post_init__(self) -> None:
        check_whole("PaddedBudget(tokens=", self.tokens)
        check_whole("PaddedBudget(multiple_of=", self.multiple_of)

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        order = ranked(keys, lengths)
        lengths = lengths[order]
        wide = -(-lengths // self.multiple_of) * self.multiple_of
        ends: list[int] = []
        start = 0
        while start < len(order):
            start += max(1, self.tokens // max(1, int(wide[start])))
            ends.append(min(start, len(order)))
        return Pieces.whole(order, lengths, ends)


@dataclass(frozen=True)
class RowCount:
    """Batches of `rows` rows, whatever their length; the last of a window may have fewer.

    Args:
        rows: rows in a batch.

    >>> RowCount(3)(np.array([3, 9, 4, 2]), np.zeros(4, np.uint64)).batches
    array([3, 4])
    """

    rows: int

    def __post_init__(self) -> None:
        check_whole("RowCount(rows=", self.rows)

    def __call__(self, lengths: npt.NDArray[np.int64], keys: npt.NDArray[np.uint64], /) -> Pieces:
        """Cuts one window."""
        order = ranked(keys)
        ends = np.arange(self.rows, len(order) + self.rows, self.rows).clip(max=len(order))
        return Pieces.whole(order, lengths[order], ends)
