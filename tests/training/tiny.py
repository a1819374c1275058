"""Models of a few thousand parameters, one token a word, and rows with a pattern to be learned."""

from __future__ import annotations

import random
from typing import Any

import torch

from headway.checkpoints import Checkpoint, new_head
from headway.core.initial import initialise
from headway.data import Dataset
from headway.families import FAMILIES
from headway.model import Model
from headway.tokenizer import Tokenizer

WORDS = [f"w{n}" for n in range(20)]
SIGNS = ["red", "green", "blue"]
"""The words that decide labels; a body knows nothing of them."""

SIZES: dict[str, dict[str, Any]] = {
    "bert": {"positions": 24},
    "distilbert": {"positions": 24},
    "gpt2": {"positions": 24},
    "llama": {"positions": 24},
    "roberta": {"position_rows": 26, "segments": 1},
    "t5": {},
}


def words_tokenizer(*, around: bool = True) -> Tokenizer:
    """One token a word; around a text [CLS] and [SEP] as BERT has them, or nothing."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *SIGNS]
    return Tokenizer.from_document(
        {
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]}
            if around
            else None,
            "model": {
                "type": "WordLevel",
                "unk_token": "[UNK]",
                "vocab": {name: number for number, name in enumerate(names)},
            },
        }
    )


def tiny_model(kind: str = "bert", *, seed: int = 0, around: bool | None = None) -> Model:
    """Two layers of 32; every text or window has up to 24 tokens."""
    family = FAMILIES[kind]
    tokenizer = words_tokenizer(around=kind not in ("gpt2", "llama") if around is None else around)
    config = family.Config(
        vocabulary=len(tokenizer.vocabulary),
        hidden=32,
        layers=2,
        heads=2,
        inner=64,
        **SIZES[kind],
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        body = family.build(config)
        initialise(body, 0.1)
    parts = Checkpoint(family, config, body, tokenizer=tokenizer, values={"model_type": kind})
    return Model(parts, source=f"tiny-{kind}").eval()


def put_head(model: Model, labels: tuple[str, ...], kind: str = "single-label") -> Model:
    """A fresh linear head over mean pooling."""
    plan = new_head(
        model.checkpoint.family,
        "text-classification",
        labels=labels,
        kind=kind,
        head="linear",
        pooling="mean",
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        model.put_head(plan)
    return model


def rows(
    kind: str = "single-label", *, n: int = 120, seed: int = 0, signs: int = 2, pair: bool = False
) -> Dataset:
    """Texts of random words with signs among them, and what these signs say.

    The label is the sign; the list of the signs; or how many of five places hold `red`. In a pair,
    the sign stands in the second text.
    """
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        words, other = draw.choices(WORDS, k=draw.randint(3, 9)), draw.choices(WORDS, k=4)
        label: Any
        if kind == "single-label":
            put = [label := draw.choice(SIGNS[:signs])]
        elif kind == "multi-label":
            put = label = [sign for sign in SIGNS[:signs] if draw.random() < 0.5]
        else:
            count = draw.randint(0, 5)
            put, label = ["red"] * count + ["blue"] * (5 - count), float(count)
        target = other if pair else words
        for sign in put:
            target.insert(draw.randint(0, len(target)), sign)
        made.append({"text": " ".join(words), "other": " ".join(other), "label": label})
    columns = ["text", "other", "label"] if pair else ["text", "label"]
    return Dataset.from_rows([{name: row[name] for name in columns} for row in made], name="signs")
