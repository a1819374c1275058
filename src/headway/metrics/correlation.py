"""Correlation of predicted with true numbers: of the values (Pearson), of the ranks (Spearman)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headway.metrics.inputs import Column, numbers, same_length

__all__ = ["pearson", "ranks", "spearman"]

Floats = npt.NDArray[np.float64]


def pearson(predictions: Column, references: Column) -> float:
    """How well a straight line links predictions and references: -1 to 1.

    Inputs: two columns of n finite numbers, float64 inside. A constant column, or fewer than two
    rows, has no correlation: 0.0.
    Raises: ConfigError for unequal lengths, texts, NaN or infinity.
    Siblings: `spearman` asks only for the same order; `mse` also minds scale and shift, to which
    correlation is blind.
    Source: Pearson, "Note on regression and inheritance in the case of two parents", 1895.

    >>> round(pearson([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]), 6)
    0.981981
    """
    same_length(predictions, references)
    return _correlate(numbers(predictions, "predictions"), numbers(references, "references"))


def spearman(predictions: Column, references: Column) -> float:
    """How well predictions put the rows in the order of the references: -1 to 1.

    Inputs, errors and undefined cases: as in `pearson`; equal values share their mean rank.
    Siblings: `pearson` of the ranks; the usual measure for sentence similarity (STS-B).
    Source: Spearman, "The proof and measurement of association between two things", 1904.

    >>> spearman([1.0, 10.0, 100.0], [1.0, 2.0, 3.0])
    1.0
    """
    same_length(predictions, references)
    x, y = numbers(predictions, "predictions"), numbers(references, "references")
    return _correlate(ranks(x), ranks(y))


def _correlate(x: Floats, y: Floats) -> float:
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return 0.0
    return float(np.clip(_direction(x) @ _direction(y), -1.0, 1.0))


def _direction(x: Floats) -> Floats:
    x = x / np.abs(x).max()  # squares of very large or very small numbers leave float64
    x = x - x.mean()
    length = np.sqrt(x @ x)
    return x / length if length > 0 else x


def ranks(x: Floats) -> Floats:
    """The rank of each number from 1 up; equal numbers share their mean rank."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place].astype(np.float64)
