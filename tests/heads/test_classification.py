"""The classification head: pool, transform, drop, map."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headway.core.layout import Layout
from headway.core.pooling import POOLINGS
from headway.heads import Classifier

LAYOUT = Layout((3, 1, 2))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_are_a_row_a_text(pooling: str) -> None:
    torch.manual_seed(0)
    output = nn.Linear(4, 5)
    head = Classifier(pooling, output, transform=nn.Tanh()).eval()
    hidden = torch.randn(6, 4)
    pooled = POOLINGS[pooling](hidden, LAYOUT)
    torch.testing.assert_close(head(hidden, LAYOUT), output(pooled.tanh()))
    assert not head.per_token


def test_dropout_stands_before_transform_and_before_output() -> None:
    torch.manual_seed(0)
    seen: list[torch.Tensor] = []

    class Look(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return torch.ones_like(x)

    class Sum(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return x.sum(-1, keepdim=True)

    head = Classifier("first", Sum(400, 1), transform=Look(), dropout=0.5, transform_dropout=0.25)
    head(torch.ones(6, 400), LAYOUT)
    before, after = ((x == 0).float().mean().item() for x in seen)
    assert abs(before - 0.25) < 0.06
    assert abs(after - 0.5) < 0.06
    seen.clear()
    head.eval()(torch.ones(6, 400), LAYOUT)
    assert not any((x == 0).any() for x in seen)
