"""How good answers are: SQuAD's measures, and what a sentence picked by its words reaches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from headway.metrics import ROW_SUMS, tfidf_nearest
from headway.tasks.answers.truth import answer_texts
from headway.tasks.measured import Measured

__all__ = [
    "ALWAYS",
    "SOMETIMES",
    "answer_metrics",
    "answer_scores",
    "nearest_sentences",
    "row_f1",
]

ALWAYS, SOMETIMES = "answer-spans", "answer-spans-or-none"
"""Kinds: every question has an answer in its context, or some have none (SQuAD 1.1 and 2.0)."""

METRICS = {
    ALWAYS: {"f1": "squad_f1", "exact_match": "squad_exact_match"},
    SOMETIMES: {"f1": "squad_v2_f1", "exact_match": "squad_v2_exact_match"},
}
"""Kind -> measure -> the metric that it is, in percent."""

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def answer_scores(said: Sequence[str], answers: Sequence[Any], kind: str) -> dict[str, Any]:
    """F1 and exact match as shares of 1, and the interval of F1; where some questions have no
    answer, also those of the others alone and the share of the former that were left unanswered.

    >>> found = answer_scores(["a cat", "dog"], ["cat", "a dog house"], ALWAYS)
    >>> found["f1"], found["exact_match"]
    (0.8333333333333333, 0.5)
    """
    measures = answer_metrics(said, answers, kind)
    found = {key: measure.value() for key, measure in measures.items()}
    interval = list(measures["f1"].interval())
    return {"n": len(answers), **found, "confidence_interval_95": interval}


def answer_metrics(said: Sequence[str], answers: Sequence[Any], kind: str) -> dict[str, Measured]:
    """The same as metrics of columns."""
    truth = [answer_texts(value) for value in answers]
    names = METRICS[kind]
    found = {key: Measured(name, said, truth, 100) for key, name in names.items()}
    if kind == SOMETIMES:
        some = [n for n, texts in enumerate(truth) if texts]
        none = [n for n, texts in enumerate(truth) if not texts]

        def of(rows: list[int], name: str) -> Measured:
            return Measured(name, [said[n] for n in rows], [truth[n] for n in rows], 100)

        if some:
            found |= {f"answerable_{key}": of(some, name) for key, name in names.items()}
        if none:
            found["left_unanswered"] = of(none, names["exact_match"])
    return found


def row_f1(said: Sequence[str], answers: Sequence[Any]) -> list[float]:
    """F1 of each row alone, 0 to 1."""
    truth = [answer_texts(value) for value in answers]
    rows: list[float] = ROW_SUMS["squad_v2_f1"](said, truth).rows[:, 0].tolist()
    return rows


def nearest_sentences(
    asked: Sequence[tuple[str, str]], known: Sequence[tuple[str, str]]
) -> list[str]:
    """The sentence of each context that is most like its question, by the words of both.

    Args:
        asked: questions and their contexts.
        known: the same; how rare a word is there says how much it counts.

    >>> nearest_sentences([("Who wrote it?", "It rained. She wrote it. Then it ended.")], [])
    ['She wrote it.']
    """
    sentences = [_sentences(context) for _, context in asked]
    contexts = list(dict.fromkeys(context for _, context in known))
    chosen = tfidf_nearest([question for question, _ in asked], sentences, known=contexts)
    return [row[best] for row, best in zip(sentences, chosen, strict=True)]


def _sentences(context: str) -> list[str]:
    found = [part.strip() for part in SENTENCE_END.split(context)]
    return [part for part in found if part] or [""]
