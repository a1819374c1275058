from __future__ import annotations

from itertools import pairwise

import pytest

from headway.training.schedule import linear


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
