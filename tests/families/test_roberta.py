"""RoBERTa, CamemBERT and XLM-RoBERTa keep every promise."""

from __future__ import annotations

import random
from typing import Any

import pytest
from contracts import PROMISES, promise_name, small_case
from transformers import CamembertConfig, RobertaConfig, XLMRobertaConfig

from headway.errors import CheckpointError
from headway.families import roberta

KINDS = {"roberta": RobertaConfig, "camembert": CamembertConfig, "xlm-roberta": XLMRobertaConfig}


def config(kind: str, draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    padding = draw.choice([0, 1, 1, 5])
    return KINDS[kind](
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=draw.choice([1, 2, 3]),
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu"]),
        max_position_embeddings=draw.randint(18, 40),
        type_vocab_size=draw.choice([1, 2]),
        pad_token_id=padding,
        classifier_dropout=draw.choice([None, 0.3]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_promise(promise: Any, kind: str, seed: int) -> None:
    seed += 2 * list(KINDS).index(kind)
    theirs = config(kind, random.Random(seed))
    forbidden = (theirs.pad_token_id,)
    promise(small_case(kind, lambda draw: config(kind, draw), seed, forbidden=forbidden))


def test_no_position_behind_the_padding_id_is_an_error() -> None:
    values = {"model_type": "roberta", "max_position_embeddings": 4, "pad_token_id": 3}
    with pytest.raises(CheckpointError, match=r"max_position_embeddings = 4 .* Allowed: 5 or more"):
        roberta.from_hf(values)
