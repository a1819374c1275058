"""Batches by token budget: short texts cost what they weigh."""

from __future__ import annotations

import random
from collections.abc import Sequence

from headway.data.check_whole import check_whole

__all__ = ["shuffled_batches", "sorted_batches"]

BUCKET = 50
"""How many batches' worth of rows are sorted together."""


def sorted_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Row numbers in batches of similar length, longest first, each within the budget.

    Args:
        lengths: tokens of each row.
        budget: most tokens in a batch; a row longer than it has a batch of its own.

    Raises:
        ConfigError: the budget is below 1.

    >>> sorted_batches([3, 9, 4, 2], budget=10)
    [[1], [2, 0, 3]]
    """
    check_whole("batch_tokens=", budget)
    return _cut(_longest_first(range(len(lengths)), lengths), lengths, budget)


def shuffled_batches(lengths: Sequence[int], budget: int, *, seed: int) -> list[list[int]]:
    """Batches for one epoch: rows shuffled, sorted by length within buckets, batches shuffled.

    Sorting keeps texts of like length together, which the attention kernels reward; the shuffle
    keeps each epoch different.

    Args:
        lengths: tokens of each row.
        budget: most tokens in a batch; a row longer than it has a batch of its own.
        seed: the same seed gives the same batches.

    Raises:
        ConfigError: the budget is below 1.

    >>> sorted(row for batch in shuffled_batches([3, 9, 4, 2], 10, seed=0) for row in batch)
    [0, 1, 2, 3]
    """
    check_whole("batch_tokens=", budget)
    chance = random.Random(seed)
    rows = list(range(len(lengths)))
    chance.shuffle(rows)
    batches: list[list[int]] = []
    for members in _cut(rows, lengths, budget * BUCKET):
        batches += _cut(_longest_first(members, lengths), lengths, budget)
    chance.shuffle(batches)
    return batches


def _longest_first(rows: Sequence[int], lengths: Sequence[int]) -> list[int]:
    return sorted(rows, key=lambda row: -lengths[row])


def _cut(order: Sequence[int], lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Cuts an order of rows into runs within the budget."""
    runs: list[list[int]] = []
    filled = 0
    for row in order:
        if not runs or filled + lengths[row] > budget:
            runs.append([])
            filled = 0
        runs[-1].append(row)
        filled += lengths[row]
    return runs
