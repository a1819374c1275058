"""The steps of each epoch: blocks of raw text, shuffled, in batches of so many tokens."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np
import pyarrow.compute as pc

from headway.data import Dataset
from headway.data.batches.batch import Batch as Rows
from headway.data.batches.buckets import RowCount, TokenBudget
from headway.data.batches.loader import Loader
from headway.pretraining.corpus import Around
from headway.training.collate import Batch
from headway.training.loop import Epochs, counted

__all__ = ["Epoch", "cut_of", "epochs_of"]

TOGETHER = 8192
"""Blocks that are sorted by length and cut together: of so many, all epochs have as many steps."""
FEW = 10
"""Epochs of more blocks whose steps are counted to know how many epochs there are."""


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


def cut_of(put: Around, *, batch_tokens: int, window: int, joined: bool) -> RowCount | TokenBudget:
    """How blocks become batches.

    Args:
        put: what stands around a block.
        batch_tokens: most tokens of a batch, special ones included.
        window: most tokens of a block, likewise.
        joined: whether blocks are of one length, so that a batch is a number of them.
    """
    if joined:
        return RowCount(max(1, batch_tokens // window))
    room = max(window, batch_tokens) - put.tokens * (batch_tokens // window)
    return TokenBudget(max(1, room))


def epochs_of(
    blocks: Dataset,
    put: Around,
    cut: RowCount | TokenBudget,
    *,
    seed: int,
    epochs: int | None,
    most: int | None,
) -> Epochs[Batch]:
    """The epochs of a run.

    Args:
        blocks: with the column `ids`.
        put: what stands around a block.
        cut: how they become batches.
        seed: of the order.
        epochs: how many; None = one, or as many as the steps need. Where these cannot be counted
            at once, it is the most that they can need.
        most: steps of the run, or None.

    Raises:
        ConfigError: epochs that differ in their steps, and are too many to be counted.
    """
    loader = Loader(blocks, cut, seed=seed, window=TOGETHER)

    def steps(epoch: int) -> int:
        loader.set_epoch(epoch)
        return len(loader)

    def made(epoch: int) -> Epoch:
        return Epoch(loader, epoch, steps(epoch), put)

    if len(blocks) <= TOGETHER:
        needed = None if most is None else math.ceil(most / steps(0))
        count = min(filter(None, (epochs, needed)), default=1)
        return Epochs(made, count, count * steps(0))
    if epochs is None and most is not None:
        return Epochs(made, _needed(steps, most, _fewest(blocks, cut)), most)
    found = counted(steps, epochs or 1, most)
    return Epochs(made, len(found), sum(found))


def _needed(steps: Callable[[int], int], most: int, fewest: int) -> int:
    """Epochs for so many steps: a few are counted, and the rest is the most that they can be."""
    epochs = 0
    while most > 0 and epochs < FEW:
        most -= steps(epochs)
        epochs += 1
    return epochs + max(0, math.ceil(most / fewest))


def _fewest(blocks: Dataset, cut: RowCount | TokenBudget) -> int:
    """Steps that every epoch has at least."""
    if isinstance(cut, RowCount):
        return math.ceil(len(blocks) / cut.rows)
    tokens = pc.sum(pc.list_value_length(blocks.column("ids"))).as_py()
    return math.ceil(tokens / cut.tokens)


def _batch(rows: Rows, put: Around) -> Batch:
    """Blocks as windows, each a text by itself."""
    ends = rows.sequences.tolist()
    ids = np.asarray(rows["ids"]).tolist()
    windows = [put.put(ids[start:end]) for start, end in pairwise(ends)]
    numbers = [[0]] * len(windows)
    return Batch(rows.rows.tolist(), windows, [[0] * len(one) for one in windows], numbers)
