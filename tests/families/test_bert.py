"""BERT keeps every promise, and reads segments."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, SEEDS, close, flat, promise_name, small_case
from transformers import BertConfig

from headway.core.layout import Layout


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    return BertConfig(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu", "gelu_new"]),
        max_position_embeddings=draw.randint(12, 40),
        type_vocab_size=draw.choice([1, 2, 3]),
        layer_norm_eps=draw.choice([1e-12, 1e-5]),
        classifier_dropout=draw.choice([None, 0.3]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("bert", config, seed))


def test_segments_are_read() -> None:
    case = small_case("bert", config, 0)
    case.config.type_vocab_size = 2
    segments = [[0] * (len(text) // 2) + [1] * (len(text) - len(text) // 2) for text in case.texts]
    layout = Layout.of(case.texts)
    with torch.no_grad():
        ours = layout.split(case.body(flat(case.texts), layout, flat(segments)))
        for number, (text, segment) in enumerate(zip(case.texts, segments, strict=True)):
            theirs = case.theirs(
                input_ids=torch.tensor([text]), token_type_ids=torch.tensor([segment])
            )
            close(ours[number], theirs.last_hidden_state[0])
