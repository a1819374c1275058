"""Every metric under its name, and the one function that calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from headway.errors import ConfigError, nearest
from headway.metrics.accuracy import accuracy, exact_match
from headway.metrics.calibration import expected_calibration_error
from headway.metrics.confusion import mcc
from headway.metrics.correlation import pearson, spearman
from headway.metrics.f1 import f1, macro_f1, micro_f1, precision, recall, weighted_f1
from headway.metrics.inputs import Column, same_length
from headway.metrics.probability import brier, log_loss
from headway.metrics.regression import mae, mse, r2

__all__ = ["METRICS", "metric", "metric_function"]

METRICS: dict[str, Callable[..., float]] = {
    # one label a row: texts or numbers
    "accuracy": accuracy,
    "mcc": mcc,
    # one label a row, or several: 0/1 arrays [rows, labels] or a collection of labels a row
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "macro_f1": macro_f1,
    "micro_f1": micro_f1,
    "weighted_f1": weighted_f1,
    "exact_match": exact_match,
    # numbers
    "pearson": pearson,
    "spearman": spearman,
    "mse": mse,
    "mae": mae,
    "r2": r2,
    # predictions are probabilities [rows, labels]
    "expected_calibration_error": expected_calibration_error,
    "brier": brier,
    "log_loss": log_loss,
}


def metric(name: str, predictions: Column, references: Column, **options: Any) -> dict[str, float]:
    """The metric of that name, as a dict of numbers; nothing is downloaded.

    Args:
        name: a key of METRICS.
        predictions: what the model said: labels, label sets, numbers or probabilities.
        references: what is true, row by row.
        options: the metric's own, such as `average="weighted"` for f1.

    Raises:
        ConfigError: an unknown name or option, or columns that cannot be compared.

    >>> metric("accuracy", ["a", "b"], ["a", "a"])
    {'accuracy': 0.5}
    """
    function = metric_function(name)
    same_length(predictions, references)
    known = [p.name for p in inspect.signature(function).parameters.values()][2:]
    for option in options:
        if option not in known:
            raise ConfigError(
                f"metric {name!r} has no option {option!r}",
                allowed=", ".join(known) or "no options",
                next_step=nearest(option, known),
            )
    return {name: function(predictions, references, **options)}


def metric_function(name: str) -> Callable[..., float]:
    """The function behind a name, or an error that lists the names."""
    if name not in METRICS:
        raise ConfigError(
            f"unknown metric {name!r}",
            allowed=", ".join(METRICS),
            next_step=nearest(name, METRICS),
        )
    return METRICS[name]
