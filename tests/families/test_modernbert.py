"""ModernBERT keeps every promise, in windows and out of them, and in old and new files."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name, small_case
from transformers import ModernBertConfig

from headway.core import masks
from headway.core.stacks import Encoder
from headway.errors import CheckpointError
from headway.families import modernbert


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    layers = draw.choice([2, 3, 4])
    kinds = [draw.choice([modernbert.GLOBAL, modernbert.LOCAL]) for _ in range(layers)]
    return ModernBertConfig(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([4, 6, 10]),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_activation=draw.choice(["gelu", "relu", "silu"]),
        max_position_embeddings=draw.randint(18, 40),
        local_attention=draw.choice([1, 3, 4, 8]),
        layer_types=draw.choice([None, kinds]),
        rope_parameters={
            modernbert.GLOBAL: {"rope_type": "default", "rope_theta": draw.choice([160000.0, 9.0])},
            modernbert.LOCAL: {"rope_type": "default", "rope_theta": draw.choice([10000.0, 5.0])},
        },
        norm_eps=draw.choice([1e-5, 1e-3]),
        norm_bias=draw.choice([True, False]),
        attention_bias=draw.choice([True, False]),
        mlp_bias=draw.choice([True, False]),
        decoder_bias=draw.choice([True, False]),
        classifier_bias=draw.choice([True, False]),
        classifier_pooling=draw.choice(["cls", "mean"]),
        classifier_activation=draw.choice(["gelu", "silu"]),
        tie_word_embeddings=draw.choice([True, True, False]),
        pad_token_id=0,
    )


@pytest.fixture(params=[masks.BLOCK, 2], ids=["whole", "banded"])
def block(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "BLOCK", request.param)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", range(3))
def test_promise(promise: Any, seed: int) -> None:
    promise(small_case("modernbert", config, seed))


def old_file(theirs: Any) -> dict[str, Any]:
    """config.json as the released models have it."""
    values = theirs.to_dict()
    rope = values.pop("rope_parameters")
    del values["layer_types"]
    values["global_rope_theta"] = rope[modernbert.GLOBAL]["rope_theta"]
    values["local_rope_theta"] = rope[modernbert.LOCAL]["rope_theta"]
    return {**values, "position_embedding_type": "absolute", "reference_compile": None}


@pytest.mark.parametrize("every", [1, 2, 3])
def test_older_files_say_the_same(every: int) -> None:
    theirs = config(random.Random(1))
    old = {**old_file(theirs), "global_attn_every_n_layers": every, "num_hidden_layers": 4}
    ours = modernbert.from_hf(old)
    assert [kind == modernbert.GLOBAL for kind in ours.kinds or ()] == [
        number % every == 0 for number in range(4)
    ]
    # The reference, given the old file, computes what we do; and what we write says the same twice.
    case = Case("modernbert", ModernBertConfig(**old), 0)
    with torch.no_grad():
        close(case.forward(case.body)[0], case.their_forward(case.theirs, 0).last_hidden_state[0])
    written = modernbert.to_hf(ours)
    both = {k: v for k, v in written.items() if k not in ("layer_types", "rope_parameters")}
    assert modernbert.from_hf(both) == modernbert.from_hf(written) == ours


def test_kinds_without_a_rule_are_written_once() -> None:
    kinds = [modernbert.LOCAL, modernbert.GLOBAL, modernbert.GLOBAL]
    ours = modernbert.from_hf({"num_hidden_layers": 3, "layer_types": kinds})
    assert modernbert.EVERY not in modernbert.to_hf(ours)
    assert modernbert.to_hf(ours)["layer_types"] == kinds


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layer_types": ["full_attention"]}, "layer_types of 1 layers.*num_hidden_layers = 2"),
        (
            {"layer_types": ["full", "full"]},
            "layer_types = .*a list, each of it full_attention, sl",
        ),
        ({"global_attn_every_n_layers": 0}, "global_attn_every_n_layers = 0"),
        ({"rope_parameters": [1]}, r"rope_parameters = \[1\]. Allowed: an object"),
        ({"rope_parameters": {"full_attention": 3}}, "an object for each layer type"),
        ({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "rope_type = 'yarn'"),
        ({"local_rope_theta": None}, "rope_theta = None"),
        ({"classifier_pooling": "max"}, "classifier_pooling = 'max'. Allowed: cls, mean"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        modernbert.from_hf({"model_type": "modernbert", "num_hidden_layers": 2, **values})


def test_a_long_text_is_read_in_bands_as_the_reference_reads_it() -> None:
    theirs = config(random.Random(3))
    theirs.update({"max_position_embeddings": 700, "local_attention": 64})
    case = Case("modernbert", theirs, 0)
    case.texts = case.some_texts((700, 5, 333), 0)
    assert isinstance(case.body, Encoder)
    with torch.no_grad():
        for number, ours in enumerate(case.forward(case.body)):
            close(ours, case.their_forward(case.theirs, number).last_hidden_state[0])
