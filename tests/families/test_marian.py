"""Marian keeps every promise, with one word table and with two."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, promise_name, small_case
from transformers import MarianConfig

from headway.errors import CheckpointError
from headway.families import marian


def config(draw: random.Random, *, shared: bool = True) -> Any:
    heads, decoder_heads = draw.choice([(1, 2), (2, 2), (3, 1), (2, 3)])
    rows = draw.randint(30, 99)
    return MarianConfig(
        vocab_size=rows,
        decoder_vocab_size=rows if shared else rows + draw.randint(1, 9),
        share_encoder_decoder_embeddings=shared,
        d_model=6 * draw.choice([2, 3, 5]),
        encoder_layers=draw.choice([1, 2, 3]),
        decoder_layers=draw.choice([1, 2]),
        encoder_attention_heads=heads,
        decoder_attention_heads=decoder_heads,
        encoder_ffn_dim=draw.randint(9, 41),
        decoder_ffn_dim=draw.randint(9, 41),
        activation_function=draw.choice(["gelu", "relu", "swish"]),
        max_position_embeddings=draw.randint(12, 40),
        scale_embedding=draw.choice([True, False]),
        pad_token_id=rows - 1,
        decoder_start_token_id=rows - 1,
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_promise(promise: Any, shared: bool, seed: int) -> None:
    promise(small_case("marian", lambda draw: config(draw, shared=shared), seed))


def test_positions_are_made_where_a_file_has_none_and_never_trained() -> None:
    case = small_case("marian", config, 0)
    stored = {n: t for n, t in case.theirs.state_dict().items() if "embed_positions" not in n}
    bare = torch.nn.ModuleDict({"theirs": case.theirs})
    bare.state_dict = lambda: stored  # type: ignore[method-assign, assignment]
    body = case.twin(bare, None)["body"]
    for stack in ("encoder", "decoder"):
        made = getattr(body, stack).embeddings.positions.weight
        assert torch.equal(made, getattr(case.theirs, stack).embed_positions.weight)
        assert not made.requires_grad


@pytest.mark.parametrize(
    ("key", "value"), [("tie_word_embeddings", False), ("normalize_before", True)]
)
def test_what_is_not_supported_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=f"{key} = {value} is not supported"):
        marian.from_hf({"model_type": "marian", key: value})
