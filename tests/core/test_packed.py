"""Packed layers compute the same, and only as long as they are asked to."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from headway.core import packed
from headway.core.feedforward import FeedForward, activation
from headway.core.linear import FusedLinear
from headway.core.packed import Packed, packed_while
from tests.generate.letters import letters_model


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_the_same(dtype: torch.dtype, bias: bool) -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Linear(300, 320, bias=bias), nn.GELU(), FusedLinear(320, (200, 100), bias=bias)
    ).to(dtype)
    with torch.inference_mode():
        for rows in (1, 8, 33):
            x = torch.randn(rows, 600).to(dtype)[:, ::2]  # not contiguous
            wanted, made = layers(x), Packed(layers, rows=8)
            assert len(made.products) == (2 if packed._known(dtype) else 0)
            with made.used():
                got = layers(x)
                assert layers[2].separate(layers[1](layers[0](x)))[1].shape == (rows, 100)
            assert got.dtype == dtype
            tolerance = 1e-5 if dtype == torch.float32 else 2e-2
            torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)
            assert torch.equal(layers(x), wanted)


@pytest.mark.parametrize("name", ["gelu", "gelu_new", "relu", "silu"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_feed_forward_layers_bend_behind_the_product(name: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    layer = FeedForward(300, 320, activation(name)).to(dtype)
    x = torch.randn(9, 300).to(dtype)
    with torch.inference_mode():
        wanted, made = layer(x), Packed(layer, rows=8)
        with made.used():
            got = layer(x)
    assert (layer in made.products) == (name in packed.BENT and packed._known(dtype))
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)


def test_in_half_precision_where_products_are_cast() -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(300, 320), torch.randn(9, 300)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        wanted, made = layer(x), Packed(layer, rows=8, dtype=torch.bfloat16)
        with made.used():
            got = layer(x)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got, wanted, rtol=2e-2, atol=2e-2)


def test_layers_are_packed_where_it_pays_and_never_stale() -> None:
    layer, x = nn.Linear(300, 300), torch.randn(3, 300)
    with packed_while(layer, total=packed.WORTH_PACKING - 1, rows=8):
        assert "forward" not in layer.__dict__
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)
    for _ in range(2):
        with torch.inference_mode(), packed_while(layer, total=packed.WORTH_PACKING, rows=8):
            assert ("forward" in layer.__dict__) == packed._known(torch.float32)
            torch.testing.assert_close(layer(x), F.linear(x, layer.weight, layer.bias))
        assert "forward" not in layer.__dict__
        layer(x).sum().backward()
        optimiser.step()  # which the weights' version counters do not show
    with torch.autocast("cpu", torch.bfloat16), packed_while(layer, total=9999, rows=8):
        assert layer(x).dtype == torch.bfloat16


def test_what_is_left_as_it_is() -> None:
    class Mine(nn.Linear):
        pass

    assert not Packed(nn.Linear(8, 8), rows=1).products
    assert not Packed(Mine(300, 300), rows=1).products
    assert not Packed(nn.Linear(300, 300).double(), rows=1).products
    with mock.patch.object(torch.backends.mkldnn, "is_available", return_value=False):
        assert not Packed(nn.Linear(300, 300), rows=1).products


def test_memory_is_left_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = nn.Linear(300, 300)
    assert packed.free_memory() > 2**20
    there = len(Packed(layer, rows=1).products)
    monkeypatch.setattr(packed, "free_memory", lambda: 2.0 * 300 * 300 * 4)
    assert len(Packed(layer, rows=1).products) == there
    monkeypatch.setattr(packed, "free_memory", lambda: 2.0 * 300 * 300 * 4 - 1)
    assert not Packed(layer, rows=1).products


def test_an_error_leaves_no_trace() -> None:
    layer = nn.Linear(300, 300)
    made = Packed(layer, rows=1)
    with pytest.raises(RuntimeError, match="on purpose"), made.used():
        assert not made.products or "forward" in layer.__dict__
        raise RuntimeError("on purpose")
    assert "forward" not in layer.__dict__


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_texts_are_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = letters_model(kind, layers=2)
    prompts = ["ab", "é", "no abc"]
    plain = model.generate(prompts, 20)
    monkeypatch.setattr(packed, "SMALLEST", 1)
    made: list[int] = []
    original = Packed.__init__

    def noted(self: Packed, *modules: nn.Module, **sizes: Any) -> None:
        original(self, *modules, **sizes)
        made.append(len(self.products))

    monkeypatch.setattr(Packed, "__init__", noted)
    assert model.generate(prompts, 20) == plain
    assert made and (made[0] > 0) == packed._known(torch.float32)
    assert "".join(model.stream("ab", 20)) == plain[0]
    model.generate(prompts, 3)
    assert len(made) == 2  # not for a few steps
