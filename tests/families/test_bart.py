"""BART, mBART and PEGASUS keep every promise; what their older files say is held to the type."""

from __future__ import annotations

import random
from typing import Any

import pytest
from contracts import PROMISES, promise_name, small_case
from transformers import BartConfig, MBartConfig, PegasusConfig

from headway.errors import CheckpointError
from headway.families import bart

CONFIGS = {"bart": BartConfig, "mbart": MBartConfig, "pegasus": PegasusConfig}
KINDS = tuple(CONFIGS)


def config(kind: str, draw: random.Random) -> Any:
    heads, decoder_heads = draw.choice([(1, 2), (2, 2), (3, 1), (2, 3)])
    return CONFIGS[kind](
        vocab_size=draw.randint(30, 99),
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
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_promise(promise: Any, kind: str, seed: int) -> None:
    promise(small_case(kind, lambda draw: config(kind, draw), seed))


OLDER = {
    "bart": (False, True, False, False),
    "mbart": (True, True, True, False),
    "pegasus": (True, False, True, True),
}
"""Kind -> what the files of its released models say of norms and positions."""


@pytest.mark.parametrize("kind", KINDS)
def test_older_files_must_say_what_the_type_means(kind: str) -> None:
    keys = ("normalize_before", "normalize_embedding", "add_final_layer_norm")
    said = dict(zip((*keys, "static_position_embeddings"), OLDER[kind], strict=True))
    assert bart.from_hf({"model_type": kind, **said}) == bart.Config(model_type=kind)
    for key, value in said.items():
        with pytest.raises(CheckpointError, match=f"{key} = {not value} is not supp.*{value}"):
            bart.from_hf({"model_type": kind, **said, key: not value})


@pytest.mark.parametrize(
    ("key", "value"), [("tie_word_embeddings", False), ("encoder_layerdrop", 0.1)]
)
def test_what_is_not_supported_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=f"{key} = {value} is not supported"):
        bart.from_hf({"model_type": "bart", key: value})
