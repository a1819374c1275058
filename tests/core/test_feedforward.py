"""Feed-forward layers, and activations equal to the reference's of the same name."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.activations import ACT2FN

from headway.core.dropout import Dropout
from headway.core.feedforward import ACTIVATIONS, FeedForward, GatedFeedForward, activation


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_the_references(name: str) -> None:
    x = torch.linspace(-9, 9, 1001)
    torch.testing.assert_close(activation(name)(x), ACT2FN[name](x), rtol=1e-5, atol=1e-6)
    assert name in repr(activation(name))


@pytest.mark.parametrize("bias", [True, False])
def test_plain_and_gated(bias: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 4)
    plain = FeedForward(4, 7, activation("relu"), bias=bias)
    torch.testing.assert_close(plain(x), plain.down(plain.up(x).relu()))
    gated = GatedFeedForward(4, 7, activation("silu"), bias=bias)
    gate, value = gated.gate_value(x).split(7, dim=-1)
    torch.testing.assert_close(gated(x), gated.down(gate * gate.sigmoid() * value))
    for layer in (plain, gated):
        assert sum(name.endswith("bias") for name, _ in layer.named_parameters()) == 2 * bias


def test_dropout_stands_behind_the_activation() -> None:
    layer = FeedForward(4, 700, nn.Identity(), dropout=0.5)
    with torch.no_grad():
        layer.up.weight.zero_()
        layer.up.bias.fill_(1.0)
        layer.down.weight.fill_(1.0)
        layer.down.bias.zero_()
    torch.manual_seed(0)
    assert isinstance(layer.dropout, Dropout)
    assert layer(torch.zeros(1, 4))[0, 0].item() != 700
    assert layer.eval()(torch.zeros(1, 4))[0, 0].item() == 700
