"""How right tags and entities are, and how they are shown beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import numpy as np

from headway.metrics import per_label, per_span
from headway.tasks.measured import Measured
from headway.tasks.tags.entities import Span
from headway.tasks.tags.paths import Tagged
from headway.tasks.tags.word_places import Placed
from headway.tasks.task import Compared

__all__ = [
    "compared_tags",
    "measured_spans",
    "measured_tags",
    "named_span",
    "score_spans",
    "score_tags",
]

SHOWN = 6
"""Words shown of a text whose tags are all right."""


def measured_spans(
    said: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]]
) -> dict[str, Measured]:
    """Measures of entities: of each text, those that were found beside those that are there.

    One is right where its first character, its last one and its label are.
    """
    found, there = ([list(map(astuple, row)) for row in rows] for rows in (said, right))
    return {name: Measured(f"span_{name}", found, there) for name in ("f1", "precision", "recall")}


def score_spans(said: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """The measures, and what stands behind them."""
    measured = measured_spans(said, right)
    main = measured["f1"]
    return {
        "n": len(right),
        "entities": sum(len(set(row)) for row in right),
        **{name: one.value() for name, one in measured.items()},
        "confidence_interval_95": list(main.interval()),
        "per_label": per_span(main.predictions, main.references),
    }


def measured_tags(
    said: Sequence[Sequence[str]], right: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, Measured]:
    """Measures of tags, one a word."""
    return {
        "accuracy": Measured("token_accuracy", said, right),
        "macro_f1": Measured("token_f1", said, right, options={"labels": labels}),
    }


def score_tags(
    said: Sequence[Sequence[str]], right: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, Any]:
    """The measures, and what stands behind them."""
    measured = measured_tags(said, right, labels)
    ours, theirs = ([tag for row in rows for tag in row] for rows in (said, right))
    return {
        "n": len(right),
        "words": len(theirs),
        **{name: one.value() for name, one in measured.items()},
        "confidence_interval_95": list(measured["accuracy"].interval()),
        "per_label": per_label(ours, theirs, labels=labels),
    }


def named_span(span: Span, text: Placed) -> str:
    """An entity as people read it."""
    return f"{text.text[span.start : span.end]} = {span.label}"


def compared_tags(found: Tagged, text: Placed, right: Sequence[str]) -> Compared:
    """The words whose tags are wrong, or the first ones where all are right."""
    wrong = [n for n, tag in enumerate(right) if found.labels[n] != tag]
    shown = wrong or list(range(min(SHOWN, len(right))))
    words = [text.text[start:end] for start, end in text.words]
    return Compared(
        [f"{words[n]} = {right[n]}" for n in shown],
        [f"{words[n]} = {found.labels[n]}" for n in shown],
        float(len(wrong)),
        float(np.mean(found.scores)) if found.scores else None,
    )
