"""Which rows are in which batch: a pure function of seed, epoch and place.

An epoch is cut into windows of some thousands of rows, drawn by chance from the whole data set.
A window is cut into batches, dealt to the ranks, and its steps are shuffled. Nothing depends on
the window before, so any place is reached by computing its own window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headway.data.batches.buckets import Cut, Pieces
from headway.data.batches.shuffling import Permutation, mix, ranked, subkey
from headway.data.check_whole import check_whole

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Order", "spans"]

_WINDOWS, _ROWS, _STEPS = range(3)
"""What a key is for."""
_BLOCKS = 64
"""A window has at least so many blocks, so that it is a fair sample of all rows."""


@dataclass(frozen=True)
class Order:
    """The batches of every epoch and rank.

    Every row is in one batch of one rank, once an epoch, and every rank has as many steps. Where a
    window's batches cannot be dealt out evenly, its largest ones are halved; where each is a single
    sequence already, a rank's last batch of that window is empty. Nothing is dropped or repeated.

    Args:
        rows: how many there are.
        lengths: row numbers int64 [n] -> their tokens, int64 [n].
        cut: how a window becomes batches.
        seed: decides every order by chance.
        world: how many ranks share the batches.
        shuffle: False keeps windows, and rows as far as the cut allows, as they stand.
        window: about how many rows are cut together; the last window may have up to twice as many.
        block: how many neighbouring rows are drawn into a window together, at most a 64th of it;
            within the window they are shuffled like all others. Memory and disks are read in
            stretches, so that a shuffled epoch costs little more than a sequential one. 1 draws
            each row by itself.

    >>> from headway.data.batches.buckets import RowCount
    >>> order = Order(5, lambda rows: rows + 1, RowCount(2), world=2)
    >>> [order.steps(0, 0, rank).rows.tolist() for rank in (0, 1)]
    [[1, 3, 4], [2, 0]]
    """

    rows: int
    lengths: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int64]]
    cut: Cut
    seed: int = 0
    world: int = 1
    shuffle: bool = True
    window: int = 8192
    block: int = 32

    def __post_init__(self) -> None:
        check_whole("world=", self.world)
        check_whole("window=", self.window)
        check_whole("block=", self.block)
        check_whole("seed=", self.seed, least=0)

    @property
    def windows(self) -> int:
        """How many windows an epoch has."""
        return min(self._blocks, max(1, self._blocks // self._blocks_at_once))

    @property
    def settings(self) -> int:
        """32 bits that differ, but for chance, where the order differs; lengths do not count."""
        said = repr((self.rows, self.cut, self.seed, self.world, self.shuffle, self.window))
        return subkey(self._block, *said.encode()) >> 32

    def steps(self, epoch: int, window: int, rank: int) -> Pieces:
        """The batches of one rank in one window, a batch a step; as many for every rank."""
        rows = self._members(epoch, window)
        keys = np.zeros(len(rows), dtype=np.uint64)
        if self.shuffle:
            places = np.arange(len(rows), dtype=np.uint64)
            keys = mix(places, subkey(self.seed, epoch, _ROWS, window))
        pieces = self.cut(self.lengths(rows), keys)
        dealt = np.concatenate([[0], _dealt(pieces.batches, self.world)])
        steps = np.arange((len(dealt) - 1) // self.world)
        if self.shuffle:
            # A step's batches have one length on all ranks, so that none waits for another.
            key = subkey(self.seed, epoch, _STEPS, window)
            steps = ranked(mix(steps.astype(np.uint64), key))
        mine = steps * self.world + rank
        return _picked(pieces, rows, dealt[mine], dealt[mine + 1])

    def count(self, epoch: int) -> int:
        """The steps of an epoch; all its windows are cut to know."""
        return sum(len(self.steps(epoch, window, 0).batches) for window in range(self.windows))

    @property
    def _block(self) -> int:
        return max(1, min(self.block, self.window // _BLOCKS))

    @property
    def _blocks(self) -> int:
        return -(-self.rows // self._block)

    @property
    def _blocks_at_once(self) -> int:
        return self.window // self._block

    def _members(self, epoch: int, window: int) -> npt.NDArray[np.int64]:
        """The rows of one window."""
        last = window == self.windows - 1
        first = window * self._blocks_at_once
        places = np.arange(first, self._blocks if last else first + self._blocks_at_once)
        if self.shuffle:
            key = subkey(self.seed, epoch, _WINDOWS)
            places = Permutation(self._blocks, key).at(places)
        if self._block == 1:
            return places
        rows = (places[:, None] * self._block + np.arange(self._block)).reshape(-1)
        return rows[rows < self.rows]


def spans(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The numbers of several spans, one span after the other.

    >>> spans(np.array([7, 0]), np.array([2, 3]))
    array([7, 8, 0, 1, 2])
    """
    ends = lengths.cumsum()
    numbers = np.repeat(starts - ends + lengths, lengths)
    numbers += np.arange(len(numbers))
    return numbers


def _dealt(batches: npt.NDArray[np.int64], world: int) -> npt.NDArray[np.int64]:
    """The ends of as many batches as `world` divides: the largest are halved, or some are empty."""
    ends = batches
    for _ in range(-len(batches) % world):
        sizes = np.diff(ends, prepend=0)
        largest = int(sizes.argmax())
        half = ends[largest] - sizes[largest] // 2
        # An empty batch goes to the end, so that only the last step of a window has any.
        place = largest if sizes[largest] > 1 else len(ends)
        ends = np.insert(ends, place, half if sizes[largest] > 1 else ends[-1])
    return ends


def _picked(
    pieces: Pieces,
    rows: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    behind: npt.NDArray[np.int64],
) -> Pieces:
    """The batches of these spans of sequences, in this order, with places made rows."""
    taken = spans(first, behind - first)
    sequences = pieces.sequences[: len(taken)]
    if len(pieces.sequences) < len(pieces.rows):  # otherwise a sequence is a piece
        piece_ends = np.concatenate([[0], pieces.sequences])
        begin, end = piece_ends[taken], piece_ends[taken + 1]
        taken, sequences = spans(begin, end - begin), (end - begin).cumsum()
    return Pieces(
        rows.take(pieces.rows.take(taken)),
        pieces.starts.take(taken),
        pieces.lengths.take(taken),
        sequences,
        (behind - first).cumsum(),
    )
