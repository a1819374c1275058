from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from headway.errors import ConfigError
from headway.model import Model
from headway.training.identity import changing_weights, identity_of

from .tiny import tiny_model, words_tokenizer


def test_every_part_of_a_model_tells() -> None:
    model, known = tiny_model(), identity_of(tiny_model())
    assert identity_of(model) == known
    with torch.no_grad():
        next(model.body.parameters())[0, 0] += 1
    assert changed(model, known) == {"model"}
    model = tiny_model()
    model.checkpoint.config = replace(model.checkpoint.config, dropout=0.3)
    assert changed(model, known) == {"config"}
    model = tiny_model()
    model.checkpoint.tokenizer = words_tokenizer(around=False)
    assert changed(model, known) == {"tokenizer"}


def changed(model: Model, known: dict[str, str]) -> set[str]:
    return {name for name, value in identity_of(model).items() if known[name] != value}


def test_a_model_that_has_learned_has_no_name() -> None:
    """Nor has another one with its weights; and nothing of it is new."""
    model = tiny_model()
    same, other = Model(model.checkpoint, source="same"), tiny_model()
    model.checkpoint.fresh = frozenset({"embeddings.words.weight"})
    with changing_weights(model, other):
        assert model.source == "tiny-bert"
    assert (model.source, other.source) == ("", "tiny-bert") and not model.checkpoint.fresh
    with pytest.raises(ConfigError), changing_weights(model, same):
        raise ConfigError("the loss became nan")
    assert same.source == ""
