from __future__ import annotations

from itertools import pairwise

import pytest

from headway.training.schedule import SCHEDULES, linear, wsd


@pytest.mark.parametrize("total", [1, 2, 3, 10, 97])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
def test_rises_to_one_and_falls_and_never_stands_still(total: int, warmup: float) -> None:
    factors = [linear(step, total, warmup) for step in range(total)]
    top = factors.index(max(factors))
    assert max(factors) == 1.0 and min(factors) > 0
    assert factors[: top + 1] == sorted(factors[: top + 1])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert top + 1 == max(1, round(total * warmup))


def test_steps_are_even() -> None:
    factors = [linear(step, 20, 0.2) for step in range(20)]
    assert factors[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    falls = [a - b for a, b in pairwise(factors[4:])]
    assert falls == pytest.approx([1 / 16] * 15)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 3, 10, 97])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 1.0])
def test_every_schedule_rises_to_one_and_never_rises_again(
    name: str, total: int, warmup: float
) -> None:
    factors = [SCHEDULES[name](step, total, warmup) for step in range(total)]
    top = max(1, round(total * warmup)) - 1
    assert factors[top] == max(factors) == 1.0 and min(factors) > 0
    assert factors[: top + 1] == [(step + 1) / (top + 1) for step in range(top + 1)]
    assert factors[top:] == sorted(factors[top:], reverse=True)


@pytest.mark.parametrize(
    ("name", "last"),
    [("linear", 1 / 90), ("cosine", 0.000305), ("wsd", 0.05), ("inverse-square-root", 0.1**0.5),
     ("constant", 1.0)],
)  # fmt: skip
def test_where_schedules_end(name: str, last: float) -> None:
    assert SCHEDULES[name](99, 100, 0.1) == pytest.approx(last, rel=0.01)


def test_a_longer_run_is_the_same_until_it_falls() -> None:
    short, long = ([wsd(step, total, 10 / total) for step in range(70)] for total in (90, 200))
    assert short == long


@pytest.mark.parametrize("warmup", [0.8, 0.9, 0.97])
def test_wsd_falls_evenly_in_what_a_long_rise_leaves(warmup: float) -> None:
    factors = [wsd(step, 100, warmup) for step in range(100)]
    falls = [a - b for a, b in pairwise(factors[round(100 * warmup) :])]
    assert falls == pytest.approx([1 / (100 - round(100 * warmup))] * len(falls))
