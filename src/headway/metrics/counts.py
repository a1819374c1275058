"""Right, predicted and actual counts of each label, and the averages that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.metrics.inputs import Label, choose

__all__ = [
    "Counts",
    "average_of",
    "counts_of_sums",
    "f1_of",
    "precision_of",
    "recall_of",
    "table_of",
]

AVERAGES = ("macro", "micro", "weighted")
Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """For each label: how often it was predicted rightly, predicted, and there.

    The arrays may have axes in front of the labels, such as one of resamples.
    """

    labels: Sequence[Label]
    right: Floats  # [..., labels]
    predicted: Floats  # [..., labels]
    actual: Floats  # [..., labels]


Score: TypeAlias = Callable[[Counts], Floats]


def counts_of_sums(labels: Sequence[Label], sums: Floats) -> Counts:
    """Counts that lie one after the other, [..., 3 * labels]: right, predicted, actual."""
    parts = sums.reshape(*sums.shape[:-1], 3, len(labels))  # [..., statistic, label]
    return Counts(labels, parts[..., 0, :], parts[..., 1, :], parts[..., 2, :])


def precision_of(counts: Counts) -> Floats:
    """Of each label, the share of predictions that was right; never predicted: 0.0."""
    return _share(counts.right, counts.predicted)


def recall_of(counts: Counts) -> Floats:
    """Of each label, the share of occurrences that was found; never there: 0.0."""
    return _share(counts.right, counts.actual)


def f1_of(counts: Counts) -> Floats:
    """Of each label, the harmonic mean of precision and recall; neither said nor there: 0.0."""
    return _share(2 * counts.right, counts.predicted + counts.actual)


def average_of(counts: Counts, average: str, score: Score) -> Floats:
    """One number of the labels' scores [...]: macro, micro or weighted; no labels: 0.0."""
    choose("average", average, AVERAGES)
    if average == "micro":
        parts = (counts.right, counts.predicted, counts.actual)
        whole = Counts(["all"], *(part.sum(axis=-1, keepdims=True) for part in parts))
        return score(whole)[..., 0]
    scores = score(counts)
    weights = counts.actual if average == "weighted" else np.ones_like(counts.actual)
    return _share((scores * weights).sum(axis=-1), weights.sum(axis=-1))


def table_of(counts: Counts) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each label, by its name."""
    columns = {
        "precision": precision_of(counts).tolist(),
        "recall": recall_of(counts).tolist(),
        "f1": f1_of(counts).tolist(),
        "support": counts.actual.astype(int).tolist(),
    }
    return {
        str(label): {name: values[i] for name, values in columns.items()}
        for i, label in enumerate(counts.labels)
    }


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
