"""Labelled spans, any number a row: precision, recall and F1 of those that are right as a whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.counts import (
    Score,
    average_of,
    counts_of_sums,
    f1_of,
    precision_of,
    recall_of,
    table_of,
)
from headway.metrics.inputs import same_length
from headway.metrics.row_sums import RowSums

__all__ = ["per_span", "span_f1", "span_precision", "span_recall", "span_rows"]

Spans: TypeAlias = Collection[tuple[int, int, str]]
"""(start, end, label) of each, in any unit; one that is there twice counts once."""


def span_f1(
    predictions: Sequence[Spans], references: Sequence[Spans], *, average: str = "micro"
) -> float:
    """F1 of whole spans: start, end and label must all be right.

    Inputs: a collection of (start, end, label) a row, two whole numbers and a text; they may lie in
    each other. `average`, over the labels, as in `f1`. No spans, or no rows: 0.0.
    Raises: ConfigError for unequal lengths, what is no such triple, an unknown average.
    Siblings: `span_precision`, `span_recall`, `per_span` (by label); `entity_f1` reads spans off
    tags, which cannot say one inside another.
    Source: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 shared task", 2003,
    arXiv:cs/0306050; of nested entities: Finkel and Manning, "Nested named entity recognition",
    2009.

    >>> span_f1([[(0, 4, "PER"), (9, 13, "LOC")]], [[(0, 4, "PER")]])
    0.6666666666666666
    """
    return span_rows(predictions, references, score=f1_of, average=average).value()


def span_precision(
    predictions: Sequence[Spans], references: Sequence[Spans], *, average: str = "micro"
) -> float:
    """Of the spans said, the share that was right. Inputs and errors: as in `span_f1`.

    >>> span_precision([[(0, 4, "PER"), (9, 13, "LOC")]], [[(0, 4, "PER")]])
    0.5
    """
    return span_rows(predictions, references, score=precision_of, average=average).value()


def span_recall(
    predictions: Sequence[Spans], references: Sequence[Spans], *, average: str = "micro"
) -> float:
    """Of the spans there, the share that was found. Inputs and errors: as in `span_f1`.

    >>> span_recall([[(0, 4, "PER"), (9, 13, "LOC")]], [[(0, 4, "PER")]])
    1.0
    """
    return span_rows(predictions, references, score=recall_of, average=average).value()


def per_span(
    predictions: Sequence[Spans], references: Sequence[Spans]
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support (how often it occurs) of each label, by its name.

    Inputs and errors: as in `span_f1`.

    >>> per_span([[(0, 4, "PER")]], [[(0, 4, "PER")]])
    {'PER': {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'support': 1}}
    """
    labels, rows = _counts(predictions, references)
    return table_of(counts_of_sums(labels, rows.sum(axis=0)))


def span_rows(
    predictions: Sequence[Spans],
    references: Sequence[Spans],
    *,
    score: Score,
    average: str = "micro",
) -> RowSums:
    """`span_f1` and its siblings as sums over rows: counts of spans of each label."""
    labels, rows = _counts(predictions, references)
    return RowSums(rows, lambda sums: average_of(counts_of_sums(labels, sums), average, score))


def _counts(
    predictions: Sequence[Spans], references: Sequence[Spans]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Labels, and of each row how many were right, predicted and there, [rows, 3 * labels]."""
    same_length(predictions, references)
    said, there = _read(predictions, "predictions"), _read(references, "references")
    labels = sorted({label for row in (*said, *there) for _, _, label in row})
    place = {label: number for number, label in enumerate(labels)}
    table = np.zeros((len(there), 3, len(labels)))  # [rows, right, said and there, labels]
    for row, (one, other) in enumerate(zip(said, there, strict=True)):
        for part, spans in enumerate((one & other, one, other)):
            for _, _, label in spans:
                table[row, part, place[label]] += 1
    return labels, table.reshape(len(table), 3 * len(labels))


def _read(column: Sequence[Any], what: str) -> list[set[tuple[int, int, str]]]:
    found = []
    for number, row in enumerate(column):
        if isinstance(row, str | bytes) or not isinstance(row, Collection):
            raise _wrong(row, number, what)
        for span in row:
            if not _is_span(span):
                raise _wrong(span, number, what)
        found.append({(int(start), int(end), label) for start, end, label in row})
    return found


def _is_span(span: Any) -> bool:
    if not isinstance(span, tuple | list) or len(span) != 3:
        return False
    start, end, label = span
    return all(isinstance(n, int | np.integer) for n in (start, end)) and isinstance(label, str)


def _wrong(value: Any, row: int, what: str) -> ConfigError:
    return ConfigError(
        f"row {row} of the {what} has {value!r:.60}",
        allowed='spans such as (0, 4, "PER"), any number of them a row',
    )
