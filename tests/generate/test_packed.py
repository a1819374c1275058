"""Packed layers compute the same, and only as long as they are asked to."""

from __future__ import annotations

from unittest import mock

import pytest
import torch
from torch import nn

from headway.core.linear import FusedLinear
from headway.generate import packed
from headway.generate.packed import Packed

from .letters import letters_model


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

    def noted(self: Packed, *modules: nn.Module, rows: int) -> None:
        original(self, *modules, rows=rows)
        made.append(len(self.products))

    monkeypatch.setattr(Packed, "__init__", noted)
    assert model.generate(prompts, 20) == plain
    assert made and (made[0] > 0) == packed._known(torch.float32)
    assert "".join(model.stream("ab", 20)) == plain[0]
    model.generate(prompts, 3)
    assert len(made) == 2  # not for a few steps
