"""DistilBERT keeps every promise; its positions can start as sines."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, SEEDS, promise_name, small_case
from transformers import DistilBertConfig, DistilBertModel

from headway.core.initial import initialise
from headway.families import distilbert


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    return DistilBertConfig(
        vocab_size=draw.randint(30, 99),
        dim=heads * draw.choice([4, 6, 12]),
        n_layers=draw.choice([1, 2, 3]),
        n_heads=heads,
        hidden_dim=draw.randint(9, 41),
        activation=draw.choice(["gelu", "relu"]),
        max_position_embeddings=draw.randint(12, 40),
        sinusoidal_pos_embds=draw.choice([True, False]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("distilbert", config, seed))


def test_sinusoidal_positions_start_as_the_references() -> None:
    theirs = DistilBertConfig(
        dim=10, n_heads=2, n_layers=1, sinusoidal_pos_embds=True, vocab_size=9
    )
    wanted = DistilBertModel(theirs).embeddings.position_embeddings.weight
    body = distilbert.build(distilbert.from_hf(theirs.to_dict()))
    for _ in range(2):
        torch.testing.assert_close(body.embeddings.positions.weight, wanted, rtol=0, atol=1e-6)
        initialise(body, 0.02)
