"""A model's answers to rows, and their scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headway.model import Model
from headway.tasks import Meaning, Task
from headway.training.precision import precision_context
from headway.windows import Windowed

__all__ = ["Scored", "score_texts"]


@dataclass(frozen=True)
class Scored:
    """Answers and their scores.

    Attributes:
        found: the raw answers, one a text, as the task reads them.
        scores: the measures, as a report's `test` section.
        seconds: of reading the texts.
        tokens: how many were read, windows' overlaps counted.
    """

    found: Sequence[Any]
    scores: dict[str, Any]
    seconds: float
    tokens: int


def score_texts(
    task: Task,
    model: Model,
    texts: Sequence[Windowed],
    answers: Sequence[Any],
    meaning: Meaning,
    *,
    precision: str,
    batch_tokens: int,
    what: str = "Testing",
) -> Scored:
    """Reads every window of every text once, and scores the answers.

    Args:
        task: what is asked.
        model: adapted to it.
        texts: as the task encodes them.
        answers: the true ones.
        meaning: of the model's numbers.
        precision: fp32, bf16 or fp16.
        batch_tokens: most tokens in a forward pass.
        what: shown beside the progress bar.

    Raises:
        DataError: a label that the model does not know.
    """
    start = time.perf_counter()
    with precision_context(precision, model.device):
        found = task.read(model, texts, meaning, batch_tokens=batch_tokens, what=what)
    seconds = time.perf_counter() - start
    scores = task.score(found, texts, answers, meaning)
    return Scored(found, scores, seconds, sum(text.length for text in texts))
