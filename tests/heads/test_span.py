"""The span head: a start and an end logit for each token."""

from __future__ import annotations

import torch
from torch import nn

from headway.core.layout import Layout
from headway.heads import SpanHead


def test_logits_are_two_a_token() -> None:
    torch.manual_seed(0)
    output = nn.Linear(4, 2)
    head = SpanHead(output, dropout=0.5).eval()
    hidden = torch.randn(6, 4)
    torch.testing.assert_close(head(hidden, Layout((3, 1, 2))), output(hidden))
    assert head.per_token


def test_a_transform_comes_first() -> None:
    torch.manual_seed(0)
    output, transform = nn.Linear(4, 2), nn.Linear(4, 4)
    hidden = torch.randn(6, 4)
    made = SpanHead(output, transform=transform)(hidden, Layout((6,)))
    torch.testing.assert_close(made, output(transform(hidden)))


def test_dropout_stands_before_the_output() -> None:
    torch.manual_seed(0)
    output = nn.Linear(2, 2, bias=False)
    nn.init.eye_(output.weight)
    made = SpanHead(output, dropout=0.25)(torch.ones(2000, 2), Layout((2000,)))
    assert abs((made == 0).float().mean().item() - 0.25) < 0.06
