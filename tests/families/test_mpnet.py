"""MPNet keeps every promise, and counts distances as the reference does."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case
from transformers import MPNetConfig
from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

from headway.errors import CheckpointError
from headway.families import mpnet

PADDING = 1
SEEDS = range(3)


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    return MPNetConfig(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu"]),
        max_position_embeddings=draw.randint(18, 40),
        layer_norm_eps=draw.choice([1e-12, 1e-5]),
        pad_token_id=draw.choice([1, 0]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("mpnet", config, seed, forbidden=(PADDING,)))


def test_distances_fall_into_the_references_buckets() -> None:
    body = mpnet.build(mpnet.Config(vocabulary=9, hidden=4, layers=1, heads=2, inner=4))
    assert body.bias is not None
    distances = torch.arange(-600, 601)
    assert torch.equal(
        body.bias.bucket(distances), MPNetEncoder.relative_position_bucket(distances)
    )


def test_a_text_longer_than_the_farthest_distance() -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    made = MPNetConfig(vocab_size=30, intermediate_size=9, max_position_embeddings=202, **sizes)
    case = Case("mpnet", made, 0, (PADDING,))
    case.texts = case.some_texts((200, 3), 0)
    with torch.no_grad():
        ours = case.forward(case.body)
    for number in range(2):
        close(ours[number], case.their_forward(case.theirs, number).last_hidden_state[0])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"max_position_embeddings": 2}, r"max_position_embeddings = 2 leaves .* Allowed: 3 or"),
        ({"relative_attention_num_buckets": 64}, r"num_buckets = 64 .* Allowed: 32"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        mpnet.from_hf({"model_type": "mpnet", **values})
