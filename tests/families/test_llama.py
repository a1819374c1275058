"""Llama, Mistral, Qwen2 and Qwen3 keep every promise, with rotary positions of every kind and in
old and new files."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case
from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

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


def shared(draw: random.Random, rope: dict[str, Any]) -> dict[str, Any]:
    kv_heads = draw.choice([1, 2])
    heads = kv_heads * draw.choice([1, 2, 3])
    size = draw.choice([4, 6, 10])
    return {
        "vocab_size": draw.randint(30, 99),
        "hidden_size": heads * size,
        "num_hidden_layers": draw.choice([1, 2, 3]),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": draw.randint(9, 41),
        "max_position_embeddings": draw.randint(24, 40),
        "rms_norm_eps": draw.choice([1e-6, 1e-5]),
        "tie_word_embeddings": draw.choice([True, False]),
        "rope_parameters": dict(rope),
    }


def config(draw: random.Random, rope: dict[str, Any]) -> Any:
    return LlamaConfig(
        **shared(draw, rope),
        head_dim=draw.choice([None, 8]),
        attention_bias=draw.choice([True, False]),
        mlp_bias=draw.choice([True, False]),
    )


def mistral(draw: random.Random, rope: dict[str, Any]) -> Any:
    return MistralConfig(
        **shared(draw, rope),
        head_dim=draw.choice([None, 8]),
        sliding_window=draw.choice([None, 1, 3, 6]),
    )


def qwen(draw: random.Random, rope: dict[str, Any], made: Any) -> Any:
    own: dict[str, Any] = {"use_sliding_window": draw.choice([True, True, False])}
    own["sliding_window"] = draw.choice([2, 5])
    if own["use_sliding_window"]:
        own["max_window_layers"] = draw.choice([0, 1])
    if made is Qwen3Config:
        own |= {"head_dim": draw.choice([8, 12]), "attention_bias": draw.choice([True, False])}
    elif draw.choice([True, False]):
        own["head_dim"] = 8
    return made(**shared(draw, rope), **own)


KINDS: dict[str, Any] = {
    "llama": config,
    "mistral": mistral,
    "qwen2": lambda draw, rope: qwen(draw, rope, Qwen2Config),
    "qwen3": lambda draw, rope: qwen(draw, rope, Qwen3Config),
}


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", range(len(ROPES)), ids=[rope["rope_type"] for rope in ROPES])
@pytest.mark.parametrize("kind", KINDS)
def test_promise(promise: Any, seed: int, kind: str) -> None:
    promise(small_case(kind, lambda draw: KINDS[kind](draw, ROPES[seed]), seed))


@pytest.mark.parametrize("made", [Qwen2Config, Qwen3Config])
@pytest.mark.parametrize(
    "windows",
    [
        {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1},
        {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 9},
        {"use_sliding_window": False, "sliding_window": 3, "max_window_layers": 0},
        {
            "use_sliding_window": True,
            "sliding_window": 2,
            "layer_types": [llama.WINDOW, llama.WHOLE],
        },
    ],
)
def test_windows_as_older_and_newer_files_say_them(made: Any, windows: dict[str, Any]) -> None:
    draw = random.Random(1)
    values = {**shared(draw, ROPES[0]), "num_hidden_layers": 2, "head_dim": 8}
    case = Case(made.model_type, made(**values, **windows), 0)
    asked = {key: value for key, value in windows.items() if key != "sliding_window"}
    older = {**values, **asked, "sliding_window": windows["sliding_window"]}
    older["model_type"] = made.model_type
    assert llama.from_hf(older) == case.ours
    assert list(case.ours.kinds) == case.config.layer_types
    with torch.no_grad():
        close(case.forward(case.body)[2], case.their_forward(case.theirs, 2).last_hidden_state[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layer_types": [llama.WHOLE]}, r"layer_types = \['full_attention'\] beside 2 layers"),
        ({"layer_types": [llama.WINDOW] * 2}, "beside 2 layers and a window of None"),
        ({"layer_types": ["chunked", "chunked"]}, "layer_types = .*full_attention, sliding"),
        ({"use_sliding_window": 1}, "use_sliding_window = 1. Allowed: true or false"),
        ({"use_sliding_window": True, "sliding_window": 0}, "sliding_window = 0"),
        ({"max_window_layers": "all"}, "max_window_layers = 'all'"),
        ({"attention_bias": True}, "'attention_bias' is not known"),
    ],
)
def test_windows_that_cannot_be_are_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        llama.from_hf({"model_type": "qwen2", "num_hidden_layers": 2, **values})


def test_what_one_architecture_lacks_is_no_key_of_it() -> None:
    with pytest.raises(CheckpointError, match="'mlp_bias' is not known"):
        llama.from_hf({"model_type": "mistral", "mlp_bias": True})
    with pytest.raises(CheckpointError, match="'sliding_window' is not known"):
        llama.from_hf({"model_type": "llama", "sliding_window": 5})


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
