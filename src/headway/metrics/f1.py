"""Precision, recall and F1: counted for each label, then averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headway.metrics.counts import (
    Counts,
    average_of,
    f1_of,
    precision_of,
    recall_of,
    table_of,
)
from headway.metrics.inputs import Column, Label, encode, encode_sets, has_label_sets

__all__ = [
    "binary_f1",
    "f1",
    "macro_f1",
    "micro_f1",
    "per_label",
    "precision",
    "recall",
    "weighted_f1",
]


def precision(
    predictions: Column,
    references: Column,
    *,
    average: str = "macro",
    labels: Sequence[Label] | None = None,
) -> float:
    """Of the times a label was said, the share that was right.

    Inputs: two columns of n labels, or label sets (0/1 arrays [rows, labels], or a collection of
    labels a row); `average` is "macro" (every label counts the same), "micro" (every decision
    counts the same) or "weighted" (every label counts as often as it occurs); `labels` are those
    to average over, by default all that occur in either column.
    A label never predicted has precision 0.0; no rows: 0.0.
    Raises: ConfigError for unequal lengths or an unknown average.
    Siblings: `recall` asks the reverse question; `f1` joins the two.

    >>> precision(["a", "b", "b", "b"], ["a", "b", "a", "a"], average="macro")
    0.6666666666666666
    """
    return float(average_of(_count(predictions, references, labels), average, precision_of))


def recall(
    predictions: Column,
    references: Column,
    *,
    average: str = "macro",
    labels: Sequence[Label] | None = None,
) -> float:
    """Of the times a label was there, the share that was found.

    Inputs, errors and averages: as in `precision`. A label that never occurs has recall 0.0.
    Siblings: `precision` asks the reverse question; macro recall is also called balanced accuracy.

    >>> recall(["a", "b", "b", "b"], ["a", "b", "a", "a"], average="macro")
    0.6666666666666666
    """
    return float(average_of(_count(predictions, references, labels), average, recall_of))


def f1(
    predictions: Column,
    references: Column,
    *,
    average: str = "macro",
    labels: Sequence[Label] | None = None,
) -> float:
    """The harmonic mean of precision and recall of each label, averaged.

    Inputs, errors and averages: as in `precision`. A label neither predicted nor there has F1 0.0
    when `labels` names it. Macro is the mean of the labels' F1, not the F1 of the mean precision
    and recall (the two differ: Opitz and Burst, "Macro F1 and Macro F1", 2019, arXiv:1911.03347).
    Siblings: `macro_f1`, `micro_f1`, `weighted_f1` are this with the average in the name;
    `per_label` gives the parts.
    Source: van Rijsbergen, Information Retrieval, 1979.

    >>> f1(["a", "b", "b", "b"], ["a", "b", "a", "a"], average="micro")
    0.5
    """
    return float(average_of(_count(predictions, references, labels), average, f1_of))


def macro_f1(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> float:
    """F1 where every label counts the same, however rare: `f1(average="macro")`.

    >>> macro_f1(["a", "b"], ["a", "b"])
    1.0
    """
    return f1(predictions, references, average="macro", labels=labels)


def micro_f1(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> float:
    """F1 where every decision counts the same: `f1(average="micro")`.

    With one label a row and all labels averaged it equals accuracy; it is meant for label sets.

    >>> micro_f1([{"a", "b"}, {"a"}], [{"a"}, {"a"}])
    0.8
    """
    return f1(predictions, references, average="micro", labels=labels)


def weighted_f1(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> float:
    """F1 where every label counts as often as it occurs: `f1(average="weighted")`.

    >>> weighted_f1(["a", "b", "a", "a"], ["a", "b", "a", "a"])
    1.0
    """
    return f1(predictions, references, average="weighted", labels=labels)


def binary_f1(predictions: Column, references: Column, *, positive: Label = 1) -> float:
    """F1 of one label, the one that is looked for: `f1(labels=[positive])`.

    Inputs and errors: as in `precision`, one label a row; `positive` is that label. GLUE's measure
    for MRPC and QQP, where 1 is a paraphrase. It depends on which label is called positive.

    >>> binary_f1(["yes", "no", "yes"], ["yes", "yes", "no"], positive="yes")
    0.5
    """
    return f1(predictions, references, labels=[positive])


def per_label(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support (how often it occurs) of each label, by its name.

    Inputs, errors and the values of absent labels: as in `precision`; `labels` gives the order.

    >>> per_label(["a", "b"], ["a", "a"])["a"]
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666, 'support': 2}
    """
    return table_of(_count(predictions, references, labels))


def _count(predictions: Column, references: Column, labels: Sequence[Label] | None) -> Counts:
    if has_label_sets(predictions) or has_label_sets(references):
        sets = encode_sets(predictions, references, labels)
        names = sets.names
        right = (sets.predictions & sets.references).sum(axis=0)
        predicted, actual = sets.predictions.sum(axis=0), sets.references.sum(axis=0)
    else:
        codes = encode(predictions, references, labels)
        names, k = codes.names, len(codes.names)
        hits = codes.references[codes.predictions == codes.references]
        right = np.bincount(hits, minlength=k)
        predicted = np.bincount(codes.predictions, minlength=k)
        actual = np.bincount(codes.references, minlength=k)
    kept = len(names) if labels is None else len(labels)
    columns = (column[:kept].astype(np.float64) for column in (right, predicted, actual))
    return Counts(names[:kept], *columns)
