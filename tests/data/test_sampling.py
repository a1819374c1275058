from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.sampling import choose_rows

strata = st.lists(st.integers(0, 5), min_size=2, max_size=80).map(np.array)


@given(strata=strata, share=st.floats(0, 1), seed=st.integers(0, 3))
def test_exactly_as_many_as_asked_and_even(strata: np.ndarray, share: float, seed: int) -> None:
    count = round(share * len(strata))
    chosen = choose_rows(len(strata), count, seed=seed, strata=strata)
    assert chosen.sum() == count
    groups = [strata == value for value in np.unique(strata)]
    exact = [group.sum() * count / len(strata) for group in groups]
    roomy = all(share <= group.sum() - 1 for share, group in zip(exact, groups, strict=True))
    for share_of_group, group in zip(exact, groups, strict=True):
        taken = chosen[group].sum()
        assert taken >= math.floor(share_of_group + 1e-9)
        # A group that is nearly used up keeps a row, and then others give more than their share.
        assert taken <= math.ceil(share_of_group - 1e-9) or not roomy


@given(rows=st.integers(1, 50), seed=st.integers(0, 5))
def test_without_strata(rows: int, seed: int) -> None:
    for count in (0, rows // 2, rows):
        assert choose_rows(rows, count, seed=seed).sum() == count


def test_a_value_that_occurs_once_stays() -> None:
    strata = np.array([0] * 50 + [1] * 49 + [2])
    for seed in range(20):
        assert not choose_rows(100, 30, seed=seed, strata=strata)[99]


def test_every_row_can_be_chosen_and_none_is_preferred() -> None:
    strata = np.array([0] * 6 + [1] * 4)
    times = sum(choose_rows(10, 5, seed=s, strata=strata).astype(int) for s in range(400))
    assert times.min() > 150
    assert times.max() < 250


@pytest.mark.parametrize("seed", [0, 1])
def test_the_draw_is_kept(seed: int) -> None:
    # Reports name a seed: the same seed has to mean the same rows next year.
    strata = np.array([0, 1, 0, 1, 0, 0, 1, 0, 0, 1])
    drawn = np.flatnonzero(choose_rows(10, 4, seed=seed, strata=strata)).tolist()
    assert drawn == {0: [2, 3, 4, 6], 1: [1, 4, 8, 9]}[seed]
