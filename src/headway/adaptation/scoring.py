"""A model's answers to labelled texts, and their scores."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headway.model import Model
from headway.training.kinds import KINDS, Floats
from headway.training.precision import precision_context
from headway.windows import Windowed

__all__ = ["Scored", "score_texts"]


@dataclass(frozen=True)
class Scored:
    """Answers and their scores.

    Attributes:
        table: probabilities or numbers, float64 [texts, classes].
        scores: the measures, as a report's `test` section.
        seconds: of reading the texts.
        tokens: how many were read, windows' overlaps counted.
    """

    table: Floats
    scores: dict[str, Any]
    seconds: float
    tokens: int


def score_texts(
    model: Model,
    texts: Sequence[Windowed],
    answers: Sequence[Any],
    *,
    precision: str,
    batch_tokens: int,
    what: str = "Testing",
) -> Scored:
    """Reads every window of every text once, and scores the answers.

    Args:
        model: with a head for labels.
        texts: as `window_texts` makes them.
        answers: the labels.
        precision: fp32 or bf16.
        batch_tokens: most tokens in a forward pass.
        what: shown beside the progress bar.

    Raises:
        DataError: a label that the model does not know.
    """
    plan = model.checkpoint.plan
    assert plan is not None and model.head is not None
    kind = KINDS[plan.kind]
    start = time.perf_counter()
    with precision_context(precision, model.device):
        logits = model.read_windows(texts, model.head, batch_tokens=batch_tokens, what=what)
    seconds = time.perf_counter() - start
    table = kind.predict(logits)
    scores = kind.score(table, answers, plan.labels)
    return Scored(table, scores, seconds, sum(text.length for text in texts))
