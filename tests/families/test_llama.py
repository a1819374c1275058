"""Llama keeps every promise, with every kind of rotary positions and in old and new files."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case
from transformers import LlamaConfig

from headway.core.positions import Rotary
from headway.errors import CheckpointError
from headway.families import llama

ROPES: list[dict[str, Any]] = [
    {"rope_type": "default", "rope_theta": 10000.0},
    {"rope_type": "linear", "rope_theta": 500.0, "factor": 2.5},
    {
        "rope_type": "llama3",
        "rope_theta": 1000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 20,
    },
]


def config(draw: random.Random, rope: dict[str, Any]) -> Any:
    kv_heads = draw.choice([1, 2])
    heads = kv_heads * draw.choice([1, 2, 3])
    size = draw.choice([4, 6, 10])
    return LlamaConfig(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * size,
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=draw.choice([None, 8]),
        intermediate_size=draw.randint(9, 41),
        max_position_embeddings=draw.randint(24, 40),
        rms_norm_eps=draw.choice([1e-6, 1e-5]),
        attention_bias=draw.choice([True, False]),
        mlp_bias=draw.choice([True, False]),
        tie_word_embeddings=draw.choice([True, False]),
        rope_parameters=dict(rope),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", range(len(ROPES)), ids=[rope["rope_type"] for rope in ROPES])
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("llama", lambda draw: config(draw, ROPES[seed]), seed))


@pytest.mark.parametrize("rope", ROPES, ids=[rope["rope_type"] for rope in ROPES])
def test_older_files_say_the_same(rope: dict[str, Any]) -> None:
    theirs = config(random.Random(0), rope)
    new = theirs.to_dict()
    old = {key: value for key, value in new.items() if key != "rope_parameters"}
    scaling = {key: value for key, value in rope.items() if key not in ("rope_type", "rope_theta")}
    old["rope_theta"] = rope["rope_theta"]
    old["rope_scaling"] = {"type": rope["rope_type"], **scaling} if scaling else None
    ours = llama.from_hf(old)
    assert ours == llama.from_hf(new)
    assert llama.to_hf(ours)["rope_theta"] == rope["rope_theta"]
    # The reference, given the old file, computes what we do.
    reopened = {key: value for key, value in old.items() if value is not None}
    case = Case("llama", LlamaConfig(**reopened), 0)
    with torch.no_grad():
        close(case.forward(case.body)[0], case.their_forward(case.theirs, 0).last_hidden_state[0])


def test_a_file_without_rope_is_plain_rope() -> None:
    assert llama.from_hf({"model_type": "llama"}).rope == llama.Rope()
    assert llama.from_hf({"model_type": "llama", "rope_theta": 5e5}).rope == llama.Rope(base=5e5)


@pytest.mark.parametrize(
    ("rope", "message"),
    [
        (
            {"rope_type": "yarn", "factor": 2.0},
            "rope_type = 'yarn'. Allowed: default, linear, llama3",
        ),
        ({"rope_type": "linear"}, "rope_type = 'linear' needs factor"),
        ({"type": "llama3", "factor": 2.0}, "needs low_freq_factor, high_freq_factor"),
        ({"rope_type": "linear", "factor": 0}, "factor = 0"),
        ({"rope_type": "linear", "factor": "2"}, "factor = '2'. Allowed: a number"),
        ({"rope_type": "linear", "factor": 2.0, "fractor": 2}, "'fractor' is not known.*'factor'"),
        ({"rope_type": "default", "partial_rotary_factor": 0.5}, "partial_rotary_factor = 0.5"),
        (
            {"type": "llama3", "factor": 2.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0},
            "high_freq_factor = 4.0 beside low_freq_factor = 4.0",
        ),
        (["linear"], r"rope_parameters = \['linear'\]. Allowed: an object"),
    ],
)
def test_ropes_that_cannot_be_are_refused_by_name(rope: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        llama.from_hf({"model_type": "llama", "rope_scaling": rope})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"num_attention_heads": 4, "num_key_value_heads": 3},
            "4 attention heads cannot share 3 key heads",
        ),
        ({"hidden_size": 10, "num_attention_heads": 4}, "10 cannot be split into 4"),
        ({"hidden_size": 9, "num_attention_heads": 3}, "heads of size 3 cannot turn"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(values: dict[str, Any], message: str) -> None:
    small = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, **values}
    with torch.device("meta"), pytest.raises(CheckpointError, match=message):
        llama.build(llama.from_hf(small))


def test_half_precision_keeps_far_positions_apart() -> None:
    rotary = Rotary(llama.frequencies(llama.Config(head_size=8))).to(torch.bfloat16)
    cos, _ = rotary.angles(torch.tensor([1000, 1001]))
    assert cos.dtype == torch.float32
    torch.testing.assert_close(cos[:, 0, 0], torch.tensor([1000.0, 1001.0]).cos())
