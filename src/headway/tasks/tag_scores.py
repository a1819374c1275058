"""How right tags and entities are, and how they are shown beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.metrics import (
    accuracy,
    bootstrap_interval,
    confidence_interval,
    entity_f1,
    entity_precision,
    entity_recall,
    macro_f1,
    per_entity,
    per_label,
)
from headway.tasks.marked_spans import Span, tags_between
from headway.tasks.tag_paths import Tagged
from headway.tasks.task import Compared, Meaning
from headway.tasks.word_places import Placed

__all__ = ["compared_tags", "named_span", "score_spans", "score_tags"]

SHOWN = 6
"""Words shown of a text whose tags are all right."""


def score_spans(said: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """Measures of entities: of each text, those that were found beside those that are there."""
    tags = [tags_between(one, other) for one, other in zip(said, right, strict=True)]
    ours, theirs = [one for one, _ in tags], [other for _, other in tags]
    return {
        "n": len(tags),
        "entities": sum(map(len, right)),
        "f1": entity_f1(ours, theirs),
        "precision": entity_precision(ours, theirs),
        "recall": entity_recall(ours, theirs),
        "confidence_interval_95": list(confidence_interval("entity_f1", ours, theirs)),
        "per_label": per_entity(ours, theirs),
    }


def score_tags(
    said: Sequence[Sequence[str]], right: Sequence[Sequence[str]], meaning: Meaning
) -> dict[str, Any]:
    """Measures of tags, one a word."""
    ours, theirs = ([tag for row in rows for tag in row] for rows in (said, right))
    hits = [sum(a == b for a, b in zip(*row, strict=True)) for row in zip(said, right, strict=True)]

    def share(hits: npt.NDArray[Any], counts: npt.NDArray[Any]) -> float:
        return float(np.sum(hits) / max(1, np.sum(counts)))

    interval = bootstrap_interval(share, np.array(hits), np.array(list(map(len, right))))
    return {
        "n": len(right),
        "words": len(theirs),
        "accuracy": accuracy(ours, theirs),
        "macro_f1": macro_f1(ours, theirs, labels=meaning.labels),
        "confidence_interval_95": list(interval),
        "per_label": per_label(ours, theirs, labels=meaning.labels),
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
