"""The order of an epoch: every row once over all ranks, any place reached by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.batches.buckets import Cut, PaddedBudget, RowCount, TokenBudget
from headway.data.batches.order import Order
from headway.data.batches.packing import Blocks, Packing
from headway.errors import ConfigError

LENGTHS = st.lists(st.integers(0, 30), max_size=150)
CUTS = st.sampled_from(
    [TokenBudget(20), TokenBudget(1), PaddedBudget(40), RowCount(4), Packing(25, 2), Blocks(9, 2)]
)


def order(lengths: list[int], cut: Cut, **options: int) -> Order:
    return Order(len(lengths), np.array(lengths, dtype=np.int64).take, cut, **options)


@settings(deadline=None)
@given(
    LENGTHS,
    CUTS,
    st.integers(0, 2**32),
    st.integers(0, 5),
    st.integers(1, 5),
    st.booleans(),
    st.integers(1, 200),
    st.integers(1, 9),
)
def test_every_token_once_over_all_ranks_in_as_many_steps(
    lengths: list[int],
    cut: Cut,
    seed: int,
    epoch: int,
    world: int,
    shuffle: bool,
    window: int,
    block: int,
) -> None:
    made = order(
        lengths,
        cut,
        seed=seed,
        world=world,
        shuffle=shuffle,
        window=window,
        block=block,
    )
    tokens, rows = [], []
    total = 0
    for number in range(made.windows):
        parts = [made.steps(epoch, number, rank) for rank in range(world)]
        assert len({len(part.batches) for part in parts}) == 1
        total += len(parts[0].batches)
        for part in parts:
            pieces = zip(
                part.rows.tolist(), part.starts.tolist(), part.lengths.tolist(), strict=True
            )
            for row, start, length in pieces:
                rows.append(row)
                tokens += [(row, start + n) for n in range(length)]
            assert (part.batches[-1] if len(part.batches) else 0) == len(part.sequences)
            assert (part.sequences[-1] if len(part.sequences) else 0) == len(part.rows)
    assert made.count(epoch) == total
    assert sorted(tokens) == [(row, n) for row, length in enumerate(lengths) for n in range(length)]
    if not isinstance(cut, Blocks):
        assert sorted(rows) == list(range(len(lengths)))


@settings(deadline=None)
@given(LENGTHS, st.integers(1, 6), st.integers(0, 99))
def test_batches_are_empty_only_where_none_can_be_halved(
    lengths: list[int], world: int, seed: int
) -> None:
    made = order(lengths, TokenBudget(20), seed=seed, world=world, window=40)
    for number in range(made.windows):
        sizes = [np.diff(made.steps(0, number, rank).batches, prepend=0) for rank in range(world)]
        counts = np.concatenate(sizes) if sizes else np.zeros(0)
        if (counts == 0).any():
            assert counts.max() <= 1
            assert (counts == 0).sum() < world


def test_a_step_has_batches_of_like_length_on_all_ranks() -> None:
    lengths = [1 + n % 50 for n in range(4000)]
    made = order(lengths, TokenBudget(200), world=4)
    means = np.array(
        [
            [
                part.mean()
                for part in np.split(steps.lengths, steps.sequences[steps.batches[:-1] - 1])
            ]
            for steps in (made.steps(0, 0, rank) for rank in range(4))
        ]
    )
    assert np.ptp(means, axis=0).max() < 3 < np.ptp(means[0])


def test_epochs_seeds_and_windows_differ_and_repeat() -> None:
    lengths = [1 + n % 7 for n in range(300)]

    def rows(seed: int, epoch: int) -> list[int]:
        made = order(lengths, TokenBudget(20), seed=seed, window=100)
        return [int(row) for n in range(made.windows) for row in made.steps(epoch, n, 0).rows]

    found = [rows(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({str(one) for one in found}) == 9
    assert found == [rows(seed, epoch) for seed in range(3) for epoch in range(3)]


def test_every_row_comes_to_every_step_as_often() -> None:
    rounds, rows = 3000, 30
    found = []
    for seed in range(rounds):
        made = order([1] * rows, RowCount(1), seed=seed, window=8)
        found.append([int(row) for n in range(made.windows) for row in made.steps(1, n, 0).rows])
    counts = np.stack([np.bincount(column, minlength=rows) for column in np.array(found).T])
    expected = rounds / rows
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = (rows - 1) ** 2
    assert abs(chi_square - freedom) < 5 * (2 * freedom) ** 0.5


def test_without_chance_rows_stay_as_they_stand() -> None:
    made = order([5] * 10, RowCount(2), shuffle=False, window=4)
    assert [made.steps(0, n, 0).rows.tolist() for n in range(2)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7, 8, 9],
    ]


def test_blocks_of_neighbours_are_drawn_together() -> None:
    made = order([3] * 6400, RowCount(10), window=640, block=10)
    for number in range(made.windows):
        rows = np.sort(made.steps(0, number, 0).rows)
        assert len(np.unique(rows // 10)) == len(rows) // 10
        assert np.ptp(rows) > 3000, "the blocks come from everywhere"
    assert not np.array_equal(made.steps(0, 0, 0).rows, np.sort(made.steps(0, 0, 0).rows))


def test_a_window_has_many_blocks_however_long_they_are_asked_to_be() -> None:
    found = [order([3] * 6400, RowCount(10), window=640, block=n).steps(0, 3, 0) for n in (10, 99)]
    assert np.array_equal(found[0].rows, found[1].rows)


def test_a_place_costs_its_window_whatever_the_number_of_rows() -> None:
    asked = []

    def lengths(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return rows % 30

    made = Order(10**12, lengths, TokenBudget(100), window=1024)
    assert len(made.steps(7, 123_456_789, 0).rows) == 1024
    assert asked == [1024]


def test_settings_tell_orders_apart() -> None:
    cuts = [TokenBudget(20), TokenBudget(21), PaddedBudget(20), Packing(20), Packing(20, 2)]
    made = [order([1] * 9, cut) for cut in cuts]
    made += [order([1] * n, cuts[0]) for n in (8, 10)]
    for name, value in {"seed": 1, "world": 2, "shuffle": False, "window": 7}.items():
        made.append(order([1] * 9, cuts[0], **{name: value}))
    made += [order([1] * 9, cuts[0], block=block) for block in (1, 2)]
    assert len({one.settings for one in made}) == len(made)
    assert order([1] * 9, TokenBudget(20)).settings == order([2] * 9, TokenBudget(20)).settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"world": 0}, "world=0. Allowed: a whole number, 1 or more"),
        ({"window": 0}, "window=0"),
        ({"block": 0}, "block=0"),
        ({"seed": -1}, "seed=-1. Allowed: a whole number, 0 or more"),
    ],
)
def test_numbers_out_of_range(options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        order([1], RowCount(1), **options)
