"""The language head: a row of logits a token."""

from __future__ import annotations

import torch
from torch import nn

from headway.core.layout import Layout
from headway.heads import LanguageModelHead


def test_states_are_transformed_scaled_and_mapped() -> None:
    torch.manual_seed(0)
    table = nn.Linear(4, 9, bias=False)
    head = LanguageModelHead(table, transform=nn.Tanh(), scale=0.5)
    hidden = torch.randn(6, 4)
    logits = head(hidden, Layout((2, 4)))
    torch.testing.assert_close(logits, hidden.tanh() * 0.5 @ table.weight.T)
    torch.testing.assert_close(LanguageModelHead(table)(hidden, Layout((6,))), table(hidden))
    assert head.per_token
