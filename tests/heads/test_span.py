"""The span head: a start and an end a token."""

from __future__ import annotations

import torch
from torch import nn

from headway.core.layout import Layout
from headway.heads import SpanHead


def test_states_are_transformed_and_mapped() -> None:
    torch.manual_seed(0)
    output, hidden = nn.Linear(4, 2), torch.randn(6, 4)
    head = SpanHead(output, transform=nn.Tanh(), dropout=0.5).eval()
    torch.testing.assert_close(head(hidden, Layout((2, 4))), output(hidden.tanh()))
    torch.testing.assert_close(SpanHead(output)(hidden, Layout((6,))), output(hidden))
    assert head.per_token


def test_a_transform_comes_first() -> None:
    torch.manual_seed(0)
    output, transform = nn.Linear(4, 2), nn.Linear(4, 4)
    hidden = torch.randn(6, 4)
    made = SpanHead(output, transform=transform)(hidden, Layout((6,)))
    torch.testing.assert_close(made, output(transform(hidden)))


def test_dropout_stands_before_the_output() -> None:
    torch.manual_seed(0)
    output = nn.Linear(400, 2, bias=False)
    nn.init.ones_(output.weight)
    sums = SpanHead(output, dropout=0.25)(torch.ones(99, 400), Layout((99,)))
    assert abs(sums.mean().item() - 400) < 5
    assert sums.std().item() > 1
