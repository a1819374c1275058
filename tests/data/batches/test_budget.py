"""Batches: every row once, the budget kept, the same seed the same batches."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.batches.budget import shuffled_batches, sorted_batches
from headway.errors import ConfigError

LENGTHS = st.lists(st.integers(0, 60), max_size=200)
BUDGETS = st.integers(1, 100)


def check(batches: list[list[int]], lengths: list[int], budget: int) -> None:
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert batch
        total = sum(lengths[row] for row in batch)
        alone = len([row for row in batch if lengths[row]]) == 1
        assert total <= budget or alone
        assert [lengths[row] for row in batch] == sorted((lengths[r] for r in batch), reverse=True)


@given(LENGTHS, BUDGETS)
def test_sorted_batches_hold_every_row_once(lengths: list[int], budget: int) -> None:
    batches = sorted_batches(lengths, budget)
    check(batches, lengths, budget)
    in_order = [lengths[row] for batch in batches for row in batch]
    assert in_order == sorted(lengths, reverse=True)


@given(LENGTHS, BUDGETS, st.integers(0, 2**32))
def test_shuffled_batches_hold_every_row_once(lengths: list[int], budget: int, seed: int) -> None:
    batches = shuffled_batches(lengths, budget, seed=seed)
    check(batches, lengths, budget)
    assert shuffled_batches(lengths, budget, seed=seed) == batches


@given(st.lists(st.integers(1, 20), min_size=20, max_size=200))
def test_batches_are_as_full_as_their_order_allows(lengths: list[int]) -> None:
    batches = sorted_batches(lengths, 40)
    for batch, following in itertools.pairwise(batches):
        assert sum(lengths[row] for row in batch) + lengths[following[0]] > 40


def test_every_epoch_is_different_and_texts_of_like_length_stay_together() -> None:
    lengths = [1 + n % 50 for n in range(2000)]
    epochs = [shuffled_batches(lengths, 500, seed=seed) for seed in range(3)]
    assert len({str(epoch) for epoch in epochs}) == 3
    for epoch in epochs:
        spread = [lengths[batch[0]] - lengths[batch[-1]] for batch in epoch]
        assert sum(spread) / len(spread) < 10  # of 49 among all rows
        longest = [lengths[batch[0]] for batch in epoch]
        assert longest != sorted(longest)
        assert longest != sorted(longest, reverse=True)


def test_the_global_chance_is_neither_used_nor_changed() -> None:
    import random

    random.seed(1)
    before = random.getstate()
    first = shuffled_batches([5] * 100, 20, seed=3)
    assert random.getstate() == before
    random.seed(2)
    assert shuffled_batches([5] * 100, 20, seed=3) == first


@pytest.mark.parametrize("make", [sorted_batches, lambda *a: shuffled_batches(*a, seed=0)])
def test_edges(make: Any) -> None:
    assert make([], 10) == []
    assert make([99], 10) == [[0]]
    assert sorted(make([99, 99, 10], 10)) == [[0], [1], [2]]
    for budget in (0, -1):
        with pytest.raises(
            ConfigError, match=rf"batch_tokens={budget}\. Allowed: a whole number, 1 or more"
        ):
            make([1], budget)
