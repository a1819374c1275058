"""Losses against their definitions, written out with plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.heads.losses import (
    answer_spans,
    choices,
    multi_label,
    no_label,
    regression,
    single_label,
)

LOGITS = [[0.5, -1.0, 2.0], [3.0, 0.0, -0.5], [0.1, 0.2, 0.3], [-2.0, 1.0, 1.0]]
TARGETS = [2, 1, 0, 1]
FLAGS = [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]]


def test_single_label_is_the_surprise_of_each_row() -> None:
    surprises = [
        math.log(sum(map(math.exp, row))) - row[target]
        for row, target in zip(LOGITS, TARGETS, strict=True)
    ]
    got = single_label(torch.tensor(LOGITS), torch.tensor(TARGETS))
    assert got.tolist() == pytest.approx(surprises, rel=1e-6)
    weights = [0.5, 2.0, 1.0]
    weighed = [weights[t] * s for t, s in zip(TARGETS, surprises, strict=True)]
    got = single_label(torch.tensor(LOGITS), torch.tensor(TARGETS), torch.tensor(weights))
    assert got.tolist() == pytest.approx(weighed, rel=1e-6)


def test_multi_label_is_the_mean_over_all_labels() -> None:
    def surprise(x: float, on: int, weight: float = 1.0) -> float:
        p = 1 / (1 + math.exp(-x))
        return -weight * math.log(p) if on else -math.log(1 - p)

    pairs = [list(zip(row, on, strict=True)) for row, on in zip(LOGITS, FLAGS, strict=True)]
    wanted = [sum(surprise(x, on) for x, on in row) / 3 for row in pairs]
    got = multi_label(torch.tensor(LOGITS), torch.tensor(FLAGS))
    assert got.tolist() == pytest.approx(wanted, rel=1e-5)
    weights = [2.0, 1.0, 0.25]
    weighed = [
        sum(surprise(x, on, weight) for (x, on), weight in zip(row, weights, strict=True)) / 3
        for row in pairs
    ]
    got = multi_label(torch.tensor(LOGITS), torch.tensor(FLAGS), torch.tensor(weights))
    assert got.tolist() == pytest.approx(weighed, rel=1e-5)


def test_regression_is_the_square() -> None:
    got = regression(torch.tensor([[1.0], [4.0], [-2.0]]), torch.tensor([0.0, 4.0, 1.0]))
    assert got.tolist() == [1, 0, 9]


def test_a_row_of_no_label_is_to_be_as_likely_of_each() -> None:
    got = no_label(torch.tensor(LOGITS))
    wanted = [math.log(sum(map(math.exp, row))) - sum(row) / 3 for row in LOGITS]
    assert got.tolist() == pytest.approx(wanted, rel=1e-5)


CASES = [
    (single_label, torch.tensor(LOGITS), torch.tensor(TARGETS)),
    (multi_label, torch.tensor(LOGITS), torch.tensor(FLAGS)),
    (regression, torch.tensor(LOGITS)[:, :1], torch.tensor([0.0, 1.0, 2.0, 3.0])),
]


@pytest.mark.parametrize(("loss", "logits", "targets"), CASES)
def test_half_precision_logits_are_summed_in_full(
    loss: Callable[..., Tensor], logits: Tensor, targets: Tensor
) -> None:
    got = loss(logits.bfloat16(), targets)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, loss(logits.bfloat16().float(), targets))


def test_answer_spans_are_the_mean_surprise_over_places_that_are_possible() -> None:
    logits = torch.tensor(
        [[0.5, 1.0], [9.0, 9.0], [2.0, -1.0], [0.0, 3.0], [1.0, 1.0], [-2.0, 0.5]],
        requires_grad=True,
    )
    possible = torch.tensor([True, False, True, True, True, True])
    got = answer_spans(logits, possible, Layout((4, 2)), torch.tensor([[2, 3], [0, 0]]))

    def surprise(values: list[float], right: int) -> float:
        return math.log(sum(map(math.exp, values))) - values[right]

    expected = [
        surprise([0.5, 2.0, 0.0], 1),
        surprise([1.0, -1.0, 3.0], 2),
        surprise([1.0, -2.0], 0),
        surprise([1.0, 0.5], 0),
    ]
    both = [sum(expected[:2]) / 2, sum(expected[2:]) / 2]  # of each window, start and end
    assert got.tolist() == pytest.approx(both, rel=1e-6)
    got.sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert (logits.grad[1] == 0).all() and (logits.grad[[0, 2, 3, 4, 5]] != 0).all()


def test_choices_are_the_surprise_among_those_of_each_row() -> None:
    logits = torch.tensor([0.5, 2.0, -1.0, 3.0, 7.0], requires_grad=True)
    got = choices(logits, Layout((2, 1, 2)), torch.tensor([0, 0, 1]))
    expected = [
        math.log(math.exp(0.5) + math.exp(2.0)) - 0.5,
        0.0,
        math.log(math.exp(3.0) + math.exp(7.0)) - 7.0,
    ]
    assert got.tolist() == pytest.approx(expected, rel=1e-5)
    got.sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
