"""Tiny models with the heads that pipelines need."""

from __future__ import annotations

import torch
from training.tiny import put_head, tiny_model

from headway.checkpoints import HeadPlan
from headway.model import Model
from headway.tokenizer import Tokenizer

LABELS = ("bad", "fine", "good")


def classifier(kind: str = "single-label") -> Model:
    """A random encoder with a head for three labels, or for a number."""
    return put_head(tiny_model(), LABELS if kind != "regression" else ("score",), kind)


def writer(kind: str = "gpt2") -> Model:
    """A random model with a language-model head; encoder-decoders answer, decoders continue."""
    model = tiny_model(kind)
    task = "text2text-generation" if kind == "t5" else "text-generation"
    with torch.random.fork_rng([]):
        torch.manual_seed(2)
        model.put_head(HeadPlan(task, model.checkpoint.family.HEADS[task]))
    return model


def masker(*, seed: int = 5) -> Model:
    """A tiny encoder whose `blue` stands for the mask, with a head of its own."""
    model = tiny_model()
    tokenizer = model.need_tokenizer()
    tokenizer.special["mask"] = "blue"
    tokenizer.special_ids["mask"] = tokenizer.vocabulary["blue"]
    tokenizer.special_ids |= {"cls": 2, "sep": 3}
    tokenizer.all_special_ids = frozenset(tokenizer.special_ids.values())
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model.put_head(HeadPlan("fill-mask", model.checkpoint.family.HEADS["fill-mask"]))
    return model


def tagger() -> Model:
    """A random encoder with a head for three labels a token."""
    model = tiny_model()
    with torch.random.fork_rng([]):
        torch.manual_seed(3)
        spec = model.checkpoint.family.HEADS["token-classification"]
        model.put_head(HeadPlan("token-classification", spec, LABELS, "tags"))
    return model


def tokenizer_of(model: Model) -> Tokenizer:
    """The tokenizer that every model here has."""
    tokenizer = model.tokenizer
    assert tokenizer is not None
    return tokenizer
