"""Raw texts with a pattern that a tiny model can learn, and runs that are small and quick."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from headway import Dataset
from headway.pretraining import Pretrained, TokenizerPlan, pretrain

SENTENCES = (
    "the cat sat on the mat .",
    "a dog ran to the house .",
    "birds fly over the sea .",
    "rain falls on the green hill .",
)

VOCABULARY = TokenizerPlan(size=420)
SMALL: dict[str, Any] = {"layers": 2, "hidden": 32, "heads": 2}
RUN: dict[str, Any] = {"window": 48, "batch_tokens": 768, "lr": 3e-3, "precision": "fp32",
                       "max_steps": 8}  # fmt: skip


def paragraphs(count: int = 60, seed: int = 0) -> list[str]:
    """Texts of a few sentences each."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(SENTENCES, k=chance.randint(2, 6))) for _ in range(count)]


def texts(count: int = 60, seed: int = 0) -> Dataset:
    return Dataset.from_columns({"text": paragraphs(count, seed)})


def small(
    family: str = "bert", data: Any = None, out: Path | None = None, **settings: Any
) -> Pretrained:
    """A run of a tiny new model."""
    given = {"tokenizer": VOCABULARY, **SMALL, **RUN, **settings}
    return pretrain(family, texts() if data is None else data, out=out, **given)
