"""ELECTRA keeps every promise, as generator and as discriminator."""

from __future__ import annotations

import random
from typing import Any

import pytest
from contracts import PROMISES, promise_name, small_case
from transformers import ElectraConfig

from headway.errors import CheckpointError
from headway.families import electra

SEEDS = range(3)


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    hidden = heads * draw.choice([5, 7, 12])
    return ElectraConfig(
        vocab_size=draw.randint(30, 99),
        embedding_size=draw.choice([hidden, draw.randint(5, 13)]),
        hidden_size=hidden,
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu", "gelu_new"]),
        max_position_embeddings=draw.randint(12, 40),
        type_vocab_size=draw.choice([1, 2, 3]),
        layer_norm_eps=draw.choice([1e-12, 1e-5]),
        classifier_dropout=draw.choice([None, 0.3]),
        summary_type=draw.choice(["first", "last", "mean", "cls_index"]),
        summary_use_proj=draw.choice([True, False]),
        summary_activation=draw.choice(["gelu", "tanh", ""]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("electra", config, seed))


def test_seeds_draw_both_kinds_of_embeddings() -> None:
    made = [config(random.Random(seed)) for seed in SEEDS]
    assert len({each.embedding_size == each.hidden_size for each in made}) == 2


def test_a_summary_by_attention_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"summary_type = 'attn'\. Allowed: cls_index, first"):
        electra.from_hf({"model_type": "electra", "summary_type": "attn"})
