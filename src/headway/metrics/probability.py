"""Scores of predicted probabilities: log loss and Brier score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, Label, as_floats, encode, same_length
from headway.metrics.row_sums import RowSums, mean_over_rows

__all__ = ["brier", "brier_rows", "log_loss", "log_loss_rows", "probability_table"]

SUM_TOLERANCE = 1e-3  # softmax in half precision


def log_loss(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> float:
    """Minus the mean natural logarithm of the probability given to the right label (nats).

    Inputs: probabilities, float [rows, labels], each row summing to 1; references, n labels, which
    are column numbers unless `labels` names the columns. Probabilities are cut at the smallest
    step of float64 (2.2e-16), so that a sure and wrong prediction costs 36.04, not infinity.
    No rows: 0.0.
    Raises: ConfigError for unequal lengths, rows that are no probabilities, unknown labels.
    Siblings: the cross-entropy of training; `brier` is bounded; both mind calibration, which
    `accuracy` does not.

    >>> round(log_loss([[0.9, 0.1], [0.2, 0.8]], [0, 1]), 6)
    0.164252
    """
    return log_loss_rows(predictions, references, labels=labels).value()


def brier(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> float:
    """Squared distance between the probabilities and the truth as 0 and 1: 0 is best, 2 is worst.

    Inputs, errors and no rows: as in `log_loss`. Summed over all labels as in Brier's paper; the
    form for two classes that looks at one of them only is half of it.
    Siblings: `expected_calibration_error` isolates the part that calibration can mend.
    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.

    >>> round(brier([[0.9, 0.1], [0.2, 0.8]], [0, 1]), 6)
    0.05
    """
    return brier_rows(predictions, references, labels=labels).value()


def log_loss_rows(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> RowSums:
    """`log_loss` as sums over rows."""
    table, columns = probability_table(predictions, references, labels)
    chosen = table[np.arange(len(columns)), columns] if len(columns) else np.zeros(0)
    return mean_over_rows(-np.log(np.maximum(chosen, np.finfo(np.float64).eps)))


def brier_rows(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> RowSums:
    """`brier` as sums over rows."""
    table, columns = probability_table(predictions, references, labels)
    truth = np.eye(table.shape[1])[columns]  # [rows, labels]
    return mean_over_rows(((table - truth) ** 2).sum(axis=1))


def probability_table(
    predictions: Column, references: Column, labels: Sequence[Label] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Checked probabilities [rows, labels] and the column of each reference [rows]."""
    same_length(predictions, references)
    table = as_floats(predictions, "probabilities")
    if not len(table):
        return np.zeros((0, 0)), np.zeros(0, dtype=np.int64)
    if table.ndim != 2:
        raise ConfigError(
            f"probabilities have shape {list(table.shape)}", allowed="[rows, labels], labels >= 2"
        )
    _check_probabilities(table)
    names = range(table.shape[1]) if labels is None else labels
    if len(names) != table.shape[1]:
        raise ConfigError(f"{len(names)} labels for {table.shape[1]} columns of probabilities")
    codes = encode(references, references, names)
    if len(codes.names) > len(names):
        raise ConfigError(
            f"reference {codes.names[len(names)]!r} has no column of probabilities",
            allowed=", ".join(map(str, names)),
            next_step="name the columns with labels=[...]",
        )
    return table, codes.references


def _check_probabilities(table: npt.NDArray[np.float64]) -> None:
    inside = np.isfinite(table) & (table >= 0) & (table <= 1 + SUM_TOLERANCE)
    good = inside.all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise ConfigError(
            f"row {row} of the probabilities is {table[row, :4].tolist()}"
            f" with sum {table[row].sum():g}",
            allowed="numbers from 0 to 1 that sum to 1 (apply a softmax to logits first)",
        )
