"""How right tags and entities are, and how they are shown beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.metrics import accuracy, bootstrap_interval, macro_f1, per_label
from headway.metrics.counts import Counts, average_of, f1_of, precision_of, recall_of, table_of
from headway.tasks.tags.entities import Span
from headway.tasks.tags.paths import Tagged
from headway.tasks.tags.word_places import Placed
from headway.tasks.task import Compared, Meaning

__all__ = ["compared_tags", "named_span", "score_spans", "score_tags"]

SHOWN = 6
"""Words shown of a text whose tags are all right."""


def score_spans(said: Sequence[Sequence[Span]], right: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """Measures of entities: of each text, those that were found beside those that are there.

    One is right where its first character, its last one and its label are.
    """
    labels = sorted({span.label for row in (*said, *right) for span in row})
    rows = np.array(
        [_counts(set(one), set(other), labels) for one, other in zip(said, right, strict=True)],
        dtype=np.float64,
    ).reshape(len(right), 3, len(labels))  # [texts, right, said and there, labels]
    sums = rows.sum(axis=0)
    counts = Counts(labels, sums[0], sums[1], sums[2])

    def f1(rows: npt.NDArray[np.float64], _: Any) -> float:
        right, said, there = rows.reshape(-1, 3).sum(axis=0)
        return float(2 * right / max(1.0, said + there))

    whole = rows.sum(axis=2)  # [texts, right, said and there]
    return {
        "n": len(right),
        "entities": int(sums[2].sum()),
        "f1": float(average_of(counts, "micro", f1_of)),
        "precision": float(average_of(counts, "micro", precision_of)),
        "recall": float(average_of(counts, "micro", recall_of)),
        "confidence_interval_95": list(bootstrap_interval(f1, whole, whole)),
        "per_label": table_of(counts),
    }


def _counts(said: set[Span], right: set[Span], labels: Sequence[str]) -> list[list[int]]:
    return [
        [sum(span.label == label for span in spans) for label in labels]
        for spans in (said & right, said, right)
    ]


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
