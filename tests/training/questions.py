"""Questions whose answers are planted: in a context, from one sign to another."""

from __future__ import annotations

import random
from typing import Any

import torch

from headway.checkpoints import new_head
from headway.data import Dataset
from headway.model import Model
from training.tiny import SIGNS, WORDS


def questions(
    n: int = 80, *, seed: int = 0, words: int = 8, without: float = 0.0, each: int = 1
) -> Dataset:
    """Contexts of random words in which two signs stand with up to two words between them.

    Args:
        n: how many rows.
        seed: decides all.
        words: in a context, signs not counted.
        without: share of the contexts that have no sign, and so no answer.
        each: questions a context.
    """
    draw = random.Random(seed)
    made: list[dict[str, Any]] = []
    while len(made) < n:
        before = draw.choices(WORDS, k=draw.randint(1, words - 1))
        after = draw.choices(WORDS, k=words - len(before))
        inside = draw.choices(WORDS, k=draw.randint(0, 2))
        answer = "" if draw.random() < without else " ".join([SIGNS[0], *inside, SIGNS[1]])
        context = " ".join([*before, *answer.split(), *after])
        start = len(" ".join(before)) + 1
        found = (
            {"text": [answer], "answer_start": [start]}
            if answer
            else {"text": [], "answer_start": []}
        )
        for _ in range(each):
            question = " ".join(draw.choices(WORDS, k=2))
            made.append({"question": question, "context": context, "answers": found})
    return Dataset.from_rows(made[:n], name="signs")


def put_span_head(model: Model, *, head: str = "linear", kind: str = "answer-spans") -> Model:
    """A fresh head of starts and ends."""
    plan = new_head(
        model.checkpoint.family, "question-answering", labels=(), kind=kind, head=head, of="span"
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        model.put_head(plan)
    return model
