"""Batches by token budget: short texts cost what they weigh."""

from __future__ import annotations

import random
from collections.abc import Sequence

__all__ = ["shuffled_batches", "sorted_batches"]


def sorted_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Row numbers in batches of similar length, longest first, each within the budget.

    Args:
        lengths: tokens of each row.
        budget: most tokens in a batch; a row longer than it has a batch of its own.

    >>> sorted_batches([3, 9, 4, 2], budget=10)
    [[1], [2, 0, 3]]
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    return _cut(order, lengths, budget)


def shuffled_batches(
    lengths: Sequence[int], budget: int, *, seed: int, bucket: int = 50
) -> list[list[int]]:
    """Batches for one epoch: rows shuffled, sorted by length within buckets, batches shuffled.

    Sorting keeps texts of like length together, which the attention kernels reward; the shuffle
    keeps each epoch different.

    Args:
        lengths: tokens of each row.
        budget: most tokens in a batch; a row longer than it has a batch of its own.
        seed: the same seed gives the same batches.
        bucket: how many batches' worth of rows are sorted together.

    >>> sorted(row for batch in shuffled_batches([3, 9, 4, 2], 10, seed=0) for row in batch)
    [0, 1, 2, 3]
    """
    chance = random.Random(seed)
    rows = list(range(len(lengths)))
    chance.shuffle(rows)
    batches: list[list[int]] = []
    for members in _cut(rows, lengths, budget * bucket):
        order = sorted(members, key=lambda row: -lengths[row])
        batches += _cut(order, lengths, budget)
    chance.shuffle(batches)
    return batches


def _cut(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Cuts an order of rows into runs within the budget."""
    runs: list[list[int]] = []
    filled = budget
    for row in order:
        if filled + lengths[row] > budget or not runs:
            runs.append([])
            filled = 0
        runs[-1].append(row)
        filled += lengths[row]
    return runs
