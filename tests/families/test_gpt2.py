"""GPT-2 keeps every promise."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, SEEDS, close, flat, promise_name, small_case
from transformers import GPT2Config

from headway.core.layout import Layout
from headway.core.names import matches_any
from headway.errors import CheckpointError
from headway.families import gpt2


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    return GPT2Config(
        vocab_size=draw.randint(30, 99),
        n_embd=heads * draw.choice([5, 7, 12]),
        n_layer=draw.choice([1, 2, 3]),
        n_head=heads,
        n_inner=draw.choice([None, draw.randint(9, 41)]),
        activation_function=draw.choice(["gelu_new", "relu", "silu"]),
        n_positions=draw.randint(12, 40),
        scale_attn_weights=draw.choice([True, False]),
        scale_attn_by_inverse_layer_idx=draw.choice([True, False]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("gpt2", config, seed))


def test_the_masks_of_older_checkpoints_are_passed_over() -> None:
    for name in ("h.11.attn.bias", "h.0.attn.masked_bias"):
        assert matches_any(name, gpt2.IGNORED)
        assert matches_any(f"transformer.{name}", gpt2.IGNORED)
    assert not matches_any("h.0.attn.c_attn.bias", gpt2.IGNORED)


def test_what_is_not_supported_is_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match=r"reorder_and_upcast_attn = True .*Allowed: False"):
        gpt2.from_hf({"model_type": "gpt2", "reorder_and_upcast_attn": True})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_word_can_be_the_segment_of_a_token(seed: int) -> None:
    case = small_case("gpt2", config, seed)
    segments = case.some_texts(tuple(map(len, case.texts)), seed + 3)
    theirs, layout = case.reference("text-generation"), Layout.of(case.texts)
    whole = case.twin(theirs, "text-generation")
    with torch.no_grad():
        logits = whole["head"](whole["body"](flat(case.texts), layout, flat(segments)), layout)
        for ours, ids, marks in zip(layout.split(logits), case.texts, segments, strict=True):
            out = theirs(torch.tensor([ids]), token_type_ids=torch.tensor([marks]))
            close(ours, out.logits[0])
            assert not torch.allclose(ours, theirs(torch.tensor([ids])).logits[0], atol=1e-3)
