"""The steps of each epoch: blocks of raw text, shuffled, in batches of so many tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np

from headway.data import Dataset
from headway.data.batches.batch import Batch as Rows
from headway.data.batches.buckets import RowCount, TokenBudget
from headway.data.batches.loader import Loader
from headway.pretraining.corpus import Around
from headway.training.collate import Batch

__all__ = ["Epoch", "epochs_of", "loader_of"]


@dataclass(frozen=True)
class Epoch(Sequence[Batch]):
    """The steps of one epoch, read as they are asked for.

    Attributes:
        loader: of the blocks.
        number: of the epoch, from 0.
        steps: how many it has.
        put: what stands around a block.
        first: how many of its steps are left out.
    """

    loader: Loader
    number: int
    steps: int
    put: Around
    first: int = 0

    def __len__(self) -> int:
        return self.steps - self.first

    def __iter__(self) -> Iterator[Batch]:
        for rows in self.loader.behind(self.number, self.first):
            yield _batch(rows, self.put)

    @overload
    def __getitem__(self, place: int) -> Batch: ...

    @overload
    def __getitem__(self, place: slice) -> Epoch: ...

    def __getitem__(self, place: int | slice) -> Batch | Epoch:
        """One step, or those behind a place."""
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            assert (stop, step) == (len(self), 1), "an epoch is read to its end"
            return Epoch(self.loader, self.number, self.steps, self.put, self.first + start)
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return next(iter(self[place % len(self) :]))


def loader_of(
    blocks: Dataset, *, batch_tokens: int, window: int, put: Around, joined: bool, seed: int
) -> Loader:
    """Batches of blocks.

    Args:
        blocks: with the column `ids`.
        batch_tokens: most tokens of a batch, special ones included.
        window: most tokens of a block, likewise.
        put: what stands around a block.
        joined: whether blocks are of one length, so that a batch is a number of them.
        seed: of the order.
    """
    if joined:
        return Loader(blocks, RowCount(max(1, batch_tokens // window)), seed=seed)
    room = max(window, batch_tokens) - put.tokens * (batch_tokens // window)
    return Loader(blocks, TokenBudget(max(1, room)), seed=seed)


def epochs_of(loader: Loader, put: Around, *, epochs: int | None, most: int | None) -> list[Epoch]:
    """The epochs of a run.

    Args:
        loader: of the blocks.
        put: what stands around a block.
        epochs: how many; None = one, or as many as the steps need.
        most: steps of the run, or None.
    """
    found: list[Epoch] = []
    steps = 0
    while len(found) < (epochs or 1) or (epochs is None and most is not None and steps < most):
        loader.set_epoch(len(found))
        found.append(Epoch(loader, len(found), len(loader), put))
        steps += len(found[-1])
        if most is not None and steps >= most:
            break
    return found


def _batch(rows: Rows, put: Around) -> Batch:
    """Blocks as windows, each a text by itself."""
    ends = rows.sequences.tolist()
    ids = np.asarray(rows["ids"]).tolist()
    windows = [put.put(ids[start:end]) for start, end in pairwise(ends)]
    numbers = [[0]] * len(windows)
    return Batch(rows.rows.tolist(), windows, [[0] * len(one) for one in windows], numbers)
