"""Accuracy: the share of rows whose label is right."""

from __future__ import annotations

import numpy as np

from headway.metrics.inputs import Column, encode, encode_sets
from headway.metrics.row_sums import RowSums, mean_over_rows

__all__ = ["accuracy", "accuracy_rows", "exact_match", "exact_match_rows"]


def accuracy(predictions: Column, references: Column) -> float:
    """The share of rows whose predicted label is the reference label.

    Inputs: two columns of n labels, texts or numbers. No rows: 0.0.
    Raises: ConfigError for unequal lengths, several labels a row, texts beside numbers.
    Siblings: `exact_match` for several labels a row; `macro_f1` and `mcc` where classes are
    unequal in size, since always saying the largest class already has a good accuracy.
    `wilson_interval` gives its confidence interval.

    >>> accuracy(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75
    """
    return accuracy_rows(predictions, references).value()


def exact_match(predictions: Column, references: Column) -> float:
    """The share of rows whose whole set of labels is right (subset accuracy).

    Inputs: two 0/1 arrays [rows, labels], or a collection of labels a row. No rows: 0.0; no
    labels at all: every row is right.
    Raises: ConfigError for unequal shapes, other values than 0 and 1, a row that is no collection.
    Siblings: `accuracy` for one label a row; `micro_f1` gives credit for a part of the set.

    >>> exact_match([{"a", "b"}, {"a"}], [{"a", "b"}, {"a", "c"}])
    0.5
    """
    return exact_match_rows(predictions, references).value()


def accuracy_rows(predictions: Column, references: Column) -> RowSums:
    """`accuracy` as sums over rows."""
    codes = encode(predictions, references)
    return mean_over_rows((codes.predictions == codes.references).astype(np.float64))


def exact_match_rows(predictions: Column, references: Column) -> RowSums:
    """`exact_match` as sums over rows."""
    sets = encode_sets(predictions, references) if len(references) else None
    equal = sets.predictions == sets.references if sets else np.zeros((0, 0), dtype=bool)
    return mean_over_rows(np.asarray(equal.all(axis=1), dtype=np.float64))
