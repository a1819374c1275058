"""Attention pooling against its formula, text by text."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.core.layout import Layout
from headway.core.pooling import first, mean
from headway.core.taps import record, replace
from headway.heads import Classifier
from headway.heads.attention_pooling import AttentionPooling

LAYOUT = Layout((3, 1, 4))


@pytest.mark.parametrize("size", [1e-3, 1.0, 300.0])
def test_the_mean_is_weighted_by_each_texts_own_softmax(size: float) -> None:
    torch.manual_seed(0)
    pooling, hidden = AttentionPooling(6, 5), torch.randn(8, 6) * size
    pooling.query.weight.data.mul_(size)
    with record(pooling, ["weights"]) as seen:
        pooled = pooling(hidden, LAYOUT)
    for row, rows, weights in zip(
        pooled, LAYOUT.split(hidden), LAYOUT.split(seen["weights"]), strict=True
    ):
        scores = torch.stack([pooling.query.weight[0] @ pooling.key(h).tanh() for h in rows])
        torch.testing.assert_close(weights, scores.softmax(0))
        torch.testing.assert_close(row, scores.softmax(0) @ rows)


def test_gradients_are_those_of_the_formula() -> None:
    torch.manual_seed(0)
    pooling = AttentionPooling(4, 3).double()
    hidden = torch.randn(8, 4, dtype=torch.float64, requires_grad=True)

    def formula(rows: torch.Tensor) -> torch.Tensor:
        return pooling.query(pooling.key(rows).tanh()).softmax(0).mul(rows).sum(0)

    wanted = torch.stack([formula(rows) for rows in LAYOUT.split(hidden)])
    mine, theirs = (
        torch.autograd.grad(made.cos().sum(), [hidden, *pooling.parameters()])
        for made in (pooling(hidden, LAYOUT), wanted)
    )
    for ours, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-4, atol=1e-6)


def test_a_query_of_zeros_takes_the_mean() -> None:
    pooling, hidden = AttentionPooling(4), torch.randn(8, 4)
    nn.init.zeros_(pooling.query.weight)
    torch.testing.assert_close(pooling(hidden, LAYOUT), mean(hidden, LAYOUT))


def test_weights_are_read_and_edited_by_name() -> None:
    torch.manual_seed(0)
    head = Classifier(AttentionPooling(4), nn.Linear(4, 2))
    hidden = torch.randn(8, 4)

    def to_the_first(weights: torch.Tensor) -> torch.Tensor:
        return (LAYOUT.within == 0).to(weights.dtype)

    with replace(head, {"pooling.weights": to_the_first}):
        edited = head(hidden, LAYOUT)
    torch.testing.assert_close(edited, head.output(first(hidden, LAYOUT)))
