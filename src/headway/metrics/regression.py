"""Errors of predicted numbers: mean squared, mean absolute, and the share of variance explained."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headway.metrics.inputs import Column, numbers, same_length
from headway.metrics.row_sums import RowSums, mean_over_rows

__all__ = ["mae", "mae_rows", "mse", "mse_rows", "r2"]


def mse(predictions: Column, references: Column) -> float:
    """Mean squared error, in the square of the references' unit.

    Inputs: two columns of n finite numbers. No rows: 0.0.
    Raises: ConfigError for unequal lengths, texts, NaN or infinity.
    Siblings: `mae` minds large errors less; `r2` is this beside always saying the mean.

    >>> mse([1.0, 3.0], [1.0, 1.0])
    2.0
    """
    return mse_rows(predictions, references).value()


def mae(predictions: Column, references: Column) -> float:
    """Mean absolute error, in the references' unit.

    Inputs, errors and no rows: as in `mse`, its sibling that minds large errors more.

    >>> mae([1.0, 3.0], [1.0, 1.0])
    1.0
    """
    return mae_rows(predictions, references).value()


def r2(predictions: Column, references: Column) -> float:
    """Coefficient of determination: 1 is perfect, 0 is as good as always saying the mean.

    It is negative for predictions worse than the mean. Inputs and errors: as in `mse`. References
    that are all equal leave nothing to explain: 1.0 if every prediction is right, else 0.0 (as
    scikit-learn). No rows: 0.0.
    Siblings: `pearson` squared equals it only after the best straight line was fitted.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.7857142857142857
    """
    same_length(predictions, references)
    p, r = numbers(predictions, "predictions"), numbers(references, "references")
    if not len(r):
        return 0.0
    left, spread = float(((r - p) ** 2).sum()), float(((r - r.mean()) ** 2).sum())
    if spread == 0:
        return 1.0 if left == 0 else 0.0
    return 1.0 - left / spread


def mse_rows(predictions: Column, references: Column) -> RowSums:
    """`mse` as sums over rows."""
    return mean_over_rows(_errors(predictions, references) ** 2)


def mae_rows(predictions: Column, references: Column) -> RowSums:
    """`mae` as sums over rows."""
    return mean_over_rows(np.abs(_errors(predictions, references)))


def _errors(predictions: Column, references: Column) -> npt.NDArray[np.float64]:
    same_length(predictions, references)
    return numbers(predictions, "predictions") - numbers(references, "references")
