"""The gradient of a step in parts is that of the step, for every task, whatever the lengths are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from headway.adaptation.steps import learning
from headway.model import Model
from headway.training.accumulate import mean_loss, step_counts
from headway.training.chance import generator_for
from headway.training.collate import Batch, Ready, epoch_batches
from headway.windows import Windowed

from .every_task import EVERY_TASK, Case


def whole_batch(texts: list[Windowed]) -> Batch:
    (batch,) = epoch_batches(texts, batch_tokens=10**6, seed=0, most_windows=3)
    return batch


def gradients(case: Case, batches: list[Batch]) -> tuple[float, dict[str, Tensor]]:
    """The loss of one step of these parts, and what it asks of each parameter."""
    model = case.model
    learner, backward = learning(case.task, model, case.meaning)
    chance = generator_for(0, 1)
    parts = [
        case.task.collate(
            model, batch, case.targets, case.meaning, weights=case.weights, chance=chance
        )
        for batch in batches
    ]
    model.zero_grad()
    loss = backward(learner.eval(), parts, (0, 1), "fp32")
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return loss, found


def uneven(batch: Batch) -> list[Batch]:
    """Parts with different numbers of rows."""
    every = (batch.cut(most) for most in range(1, batch.tokens))
    return next(parts for parts in every if len({len(part.rows) for part in parts}) > 1)


@pytest.mark.parametrize("make", EVERY_TASK.values(), ids=EVERY_TASK.keys())
def test_parts_add_up_to_the_whole(make: Callable[[], Case]) -> None:
    case = make()
    batch = whole_batch(case.texts)
    loss, whole = gradients(case, [batch])
    largest = max(float(gradient.abs().max()) for gradient in whole.values())
    assert largest > 1e-4
    for parts in (batch.cut(1), uneven(batch)):
        assert len(parts) > 1
        assert [row for part in parts for row in part.rows] == batch.rows
        in_parts, summed = gradients(case, parts)
        assert in_parts == pytest.approx(loss, rel=1e-5)
        assert summed.keys() == whole.keys()
        for name, gradient in whole.items():
            torch.testing.assert_close(summed[name], gradient, rtol=1e-3, atol=1e-5 * largest)


@pytest.mark.parametrize("make", EVERY_TASK.values(), ids=EVERY_TASK.keys())
def test_a_mean_of_means_would_be_another_number(make: Callable[[], Case]) -> None:
    """Else the test above would not tell the two apart."""
    case = make()
    parts, chance = uneven(whole_batch(case.texts)), generator_for(0, 1)
    loss, _ = gradients(case, parts)
    means = []
    for part in parts:
        ready = case.task.collate(
            case.model, part, case.targets, case.meaning, weights=case.weights, chance=chance
        )
        with torch.no_grad():
            sums = case.task.loss(case.model, ready, case.meaning)
        means.append(float(mean_loss(sums, ready.counts)))
    assert sum(means) / len(means) != pytest.approx(loss, rel=1e-5)


def test_nothing_that_is_counted_is_no_term() -> None:
    sums = [torch.tensor(6.0), torch.tensor(0.0)]
    assert float(mean_loss(sums, [4.0, 0.0])) == 1.5


def test_the_counts_of_a_step_are_those_of_its_parts() -> None:
    batch: Any = Batch([], [], [], [])
    assert step_counts([Ready(batch, 0, (3.0, 1.0)), Ready(batch, 0, (4.0, 0.0))]) == [7.0, 1.0]


def test_dropout_draws_the_same_both_times_that_a_part_is_read() -> None:
    """In pairs: once for the vectors, once for their gradients."""
    case = EVERY_TASK["sentence-similarity pairs"]()
    seen: dict[int, list[Tensor]] = {}

    def noted(model: Model, part: Ready) -> tuple[Tensor, Tensor]:
        first, second = case.task.vectors(model, part)  # type: ignore[attr-defined]
        noise = torch.rand(4)
        seen.setdefault(part.batch.rows[0], []).append(noise)
        return first + noise.mean(), second

    learner, backward = learning(case.task, case.model, case.meaning)
    learner.asked = noted
    parts = [
        case.task.collate(case.model, part, case.targets, case.meaning)
        for part in whole_batch(case.texts).cut(40)
    ]
    backward(learner, parts, (0, 1), "fp32")
    assert len(seen) == len(parts)
    for first, second in seen.values():
        assert torch.equal(first, second)
    assert len({float(noise[0][0]) for noise in seen.values()}) == len(parts)
