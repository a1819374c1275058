"""Lean steps compute what the decoder computes; unknown bricks are left to it."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import Case
from torch import Tensor, nn

from headway.core.bottleneck import Bottleneck, put_bottlenecks
from headway.core.cache import Cache
from headway.core.layout import Layout
from headway.core.stacks import Decoder
from headway.core.taps import record
from headway.families import FAMILIES
from headway.generate.lean import Lean
from headway.generate.reader import Reader

from .letters import letters_model
from .references import case_of


def decoder_of(kind: str, seed: int) -> tuple[Case, Any]:
    case = case_of(kind, seed)
    return case, case.body


@torch.no_grad()
def stepped(decoder: Decoder, texts: list[list[int]], read: list[int], lean: Lean | None) -> Tensor:
    """States of all steps behind the first tokens of each text."""
    cache = Cache(len(texts), len(decoder.layers))
    flat = torch.tensor([id for text, n in zip(texts, read, strict=True) for id in text[:n]])
    decoder(flat, Layout(tuple(read)), cache=cache)
    found = []
    for place in range(4):
        tokens = [text[n + place] for text, n in zip(texts, read, strict=True)]
        if lean is None:
            found.append(decoder(torch.tensor(tokens), Layout((1,) * len(texts)), cache=cache))
        else:
            found.append(lean(tokens, cache))
        if place == 2:  # texts that end, and one that forks
            cache.select([1, 0, 0])
            texts, read = [texts[1], texts[0], texts[0]], [read[1], read[0], read[0]]
    return torch.cat(found)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("read", [[3, 1, 7], [4, 4, 4]])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("seed", range(3))
def test_steps_are_the_decoders(kind: str, seed: int, read: list[int], dtype: torch.dtype) -> None:
    case, decoder = decoder_of(kind, seed)
    decoder = decoder.to(dtype)
    draw = random.Random(seed)
    texts = [draw.choices(range(case.config.vocab_size), k=12) for _ in read]
    lean = Lean.of(decoder)
    assert lean is not None and lean.usable
    wanted = stepped(decoder, texts, read, None)
    got = stepped(decoder, texts, read, lean)
    assert got.dtype == dtype
    near = {torch.float64: 1e-12, torch.float32: 1e-4, torch.bfloat16: 0.1}[dtype]
    torch.testing.assert_close(got, wanted, rtol=near, atol=near)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_steps_pass_adapters(kind: str) -> None:
    case, decoder = decoder_of(kind, 0)
    put_bottlenecks(decoder, 3)
    with torch.no_grad():
        for part in decoder.modules():
            if isinstance(part, Bottleneck):
                part.up.weight.normal_()
    draw = random.Random(0)
    texts, read = [draw.choices(range(case.config.vocab_size), k=12) for _ in range(3)], [3, 1, 7]
    lean = Lean.of(decoder)
    assert lean is not None
    wanted, got = stepped(decoder, texts, read, None), stepped(decoder, texts, read, lean)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


def test_unknown_bricks_take_the_usual_way() -> None:
    def made() -> Any:
        return letters_model(layers=2).body

    assert Lean.of(made()) is not None
    for name in ("", "layers.1", "layers.0.attention"):
        body = made()
        body.get_submodule(name).gate = nn.Linear(2, 2)
        assert Lean.of(body) is None
        body = made()
        body.get_submodule(name).window = 7
        assert Lean.of(body) is None
    body = made()
    body.layers[0].attention.qkv = nn.Linear(16, 48)
    assert Lean.of(body) is None
    body = made()
    body.layers[1].feedforward.register_forward_hook(lambda *_: None)
    assert Lean.of(body) is None
    body = made()
    body.rotary.frequencies = body.rotary.frequencies[:2]
    assert Lean.of(body) is None
    body = made()
    body.layers[0].attention.rotary = None
    assert Lean.of(body) is None
    assert Lean.of(letters_model("t5").body.decoder) is None


def test_watched_taps_are_shown_everything() -> None:
    model = letters_model(layers=2)
    plain = model.generate(["ab"], 5)
    with record(model.body, ["layers.1.attention.map"]) as seen:
        assert model.generate(["ab"], 5) == plain
    (shown,) = seen["layers.1.attention.map"]
    assert shown.shape == (2, 1, 5)


def test_decoders_that_are_known() -> None:
    """A family whose steps are not lean any more is slower, and says so here."""
    lean = {"gpt2", "llama"} & FAMILIES.keys()
    for kind in lean:
        model = letters_model(kind)
        assert isinstance(model.body, Decoder) and model.head is not None
        assert Reader(model.body, model.head, 1).lean is not None
