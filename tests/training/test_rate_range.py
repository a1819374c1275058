from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from headway.training.accumulate import backward
from headway.training.collate import Batch, Ready
from headway.training.optimisers import OPTIMISERS, parameter_groups
from headway.training.rate_range import rate_range, smoothed, steepest


class Line(nn.Module):
    """Two numbers that are to be 3; with plain descent, a rate above 1 explodes."""

    def __init__(self, broken_from: float = float("inf")) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor([10.0, -8.0]))
        self.broken_from, self.calls = broken_from, 0

    def forward(self, part: Ready) -> tuple[torch.Tensor]:
        self.calls += 1
        error = (self.values - 3).square().sum()
        return (error * (float("nan") if self.calls >= self.broken_from else 1.0),)


def parts_of(row: int, chance: torch.Generator) -> list[Ready]:
    return [Ready(Batch([row], [], [], []), row, (1.0,))]


def tried(learner: Line, **more: Any) -> list[tuple[float, float]]:
    group = {"params": list(learner.parameters()), "lr": 0.1, "peak": 0.1}
    optimiser = torch.optim.SGD([group])
    given: dict[str, Any] = {
        "precision": "fp32",
        "clip": 1e9,
        "seed": 0,
        "low": 1e-5,
        "high": 100.0,
    }
    return rate_range(learner, optimiser, [0, 1], parts_of, backward, **given | more)


def test_rates_rise_until_the_loss_explodes_and_nothing_is_changed() -> None:
    learner = Line()
    found = tried(learner)
    rates = [rate for rate, _ in found]
    assert rates[0] == 1e-5 and rates == sorted(rates) and 1 < rates[-1] < 100
    assert len(found) < 80
    assert learner.values.tolist() == [10.0, -8.0] and learner.values.grad is None
    assert not learner.training
    rate = steepest(found)
    assert rate is not None and 0.01 < rate < 1


def test_a_loss_that_is_not_finite_ends_it() -> None:
    learner = Line(broken_from=5)
    assert len(tried(learner)) == 4
    assert learner.values.tolist() == [10.0, -8.0]


def test_groups_keep_their_proportions(monkeypatch: pytest.MonkeyPatch) -> None:
    body, head = nn.Linear(2, 2), nn.Linear(2, 2)
    parts = [(0.01, body.parameters()), (0.1, head.parameters())]
    optimiser = OPTIMISERS["adamw"].over(parameter_groups(parts, weight_decay=0))
    seen: list[list[float]] = []
    monkeypatch.setattr(
        optimiser, "step", lambda: seen.append([g["lr"] for g in optimiser.param_groups])
    )

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body, head

        def forward(self, part: Ready) -> tuple[torch.Tensor]:
            return (self.head(self.body(torch.ones(1, 2))).sum().square(),)

    rate_range(
        Both(), optimiser, [0], parts_of, backward, precision="fp32", clip=1.0, seed=0,
        low=1e-3, high=1e-1, steps=3,
    )  # fmt: skip
    assert [rates[-1] for rates in seen] == pytest.approx([1e-3, 1e-2, 1e-1])
    assert all(rates[0] == pytest.approx(0.1 * rates[-1]) for rates in seen)


def test_the_mean_runs_and_begins_without_a_bias() -> None:
    assert smoothed([(1, 4.0), (2, 4.0), (3, 4.0)]) == pytest.approx([4.0, 4.0, 4.0])
    second = (0.7 * 0.3 * 4 + 0.3 * 1) / (1 - 0.7**2)
    assert smoothed([(1, 4.0), (2, 1.0)]) == pytest.approx([4.0, second])


@pytest.mark.parametrize(
    ("losses", "wanted"),
    [
        ([], None),
        ([1.0, 1.0], None),
        ([1.0, 2.0, 3.0, 4.0], None),
        ([2.0, 2.0, 1.9, 0.5, 0.4, 9.0], 1000.0),
        ([3.0, 1.0, 5.0, 0.1, 0.1, 0.1, 0.1, 0.1], 1000.0),
    ],
)
def test_the_steepest_fall_before_the_least_loss(losses: list[float], wanted: float | None) -> None:
    assert steepest([(10.0**n, loss) for n, loss in enumerate(losses)]) == wanted
