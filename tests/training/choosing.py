"""Rows with choices, of which the right one is planted."""

from __future__ import annotations

import random

import torch

from headway.checkpoints import new_head
from headway.data import Dataset
from headway.model import Model
from training.tiny import SIGNS, WORDS


def choosing(n: int = 80, *, seed: int = 0, words: int = 5) -> Dataset:
    """Two to four choices of a few words, of which the right one has the sign `red`.

    Args:
        n: how many rows.
        seed: decides all.
        words: of a context.
    """
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        context = " ".join(draw.choices(WORDS, k=words))
        right, count = draw.randrange(4), draw.randint(2, 4)
        right %= count
        choices = [
            " ".join([*draw.choices(WORDS, k=draw.randint(0, 3)), SIGNS[0 if n == right else 1]])
            for n in range(count)
        ]
        made.append({"context": context, "choices": choices, "label": right})
    return Dataset.from_rows(made, name="signs")


def put_choice_head(model: Model, *, head: str = "linear") -> Model:
    """A fresh head with one number a choice."""
    plan = new_head(
        model.checkpoint.family,
        "multiple-choice",
        labels=() if head == "family" else ("score",),
        kind="choice",
        head=head,
        pooling=None if head == "family" else "mean",
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        model.put_head(plan)
    return model
