"""The token head: a row of logits a token, from that token's state alone."""

from __future__ import annotations

import torch
from torch import nn

from headway.core.layout import Layout
from headway.heads import TokenClassifier


def test_states_are_transformed_and_mapped() -> None:
    torch.manual_seed(0)
    output, hidden = nn.Linear(4, 5), torch.randn(6, 4)
    head = TokenClassifier(output, transform=nn.Tanh(), dropout=0.5).eval()
    torch.testing.assert_close(head(hidden, Layout((2, 4))), output(hidden.tanh()))
    torch.testing.assert_close(TokenClassifier(output)(hidden, Layout((6,))), output(hidden))
    assert head.per_token


def test_dropout_stands_before_the_output() -> None:
    torch.manual_seed(0)
    output = nn.Linear(400, 400, bias=False)
    nn.init.eye_(output.weight)
    head = TokenClassifier(output, dropout=0.25)
    dropped = (head(torch.ones(9, 400), Layout((9,))) == 0).float().mean().item()
    assert abs(dropped - 0.25) < 0.05
