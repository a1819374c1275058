"""The head over tokens: drop, then map each token by itself."""

from __future__ import annotations

import torch
from torch import nn

from headway.core.layout import Layout
from headway.heads import TokenClassifier


def test_logits_are_a_row_a_token() -> None:
    torch.manual_seed(0)
    output = nn.Linear(4, 5)
    head = TokenClassifier(output, dropout=0.5).eval()
    hidden = torch.randn(6, 4)
    torch.testing.assert_close(head(hidden, Layout((3, 1, 2))), output(hidden))
    assert head.per_token
    bent = TokenClassifier(output, transform=nn.Tanh())(hidden, Layout((6,)))
    torch.testing.assert_close(bent, output(hidden.tanh()))


def test_dropout_stands_before_the_output() -> None:
    torch.manual_seed(0)
    output = nn.Linear(400, 400, bias=False)
    nn.init.eye_(output.weight)
    made = TokenClassifier(output, dropout=0.25)(torch.ones(6, 400), Layout((6,)))
    assert abs((made == 0).float().mean().item() - 0.25) < 0.06
