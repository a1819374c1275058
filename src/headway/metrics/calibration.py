"""Calibration: is a model that says 90% right nine times out of ten?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, Label
from headway.metrics.probability import probability_table

__all__ = ["expected_calibration_error", "reliability_bins"]


def expected_calibration_error(
    predictions: Column,
    references: Column,
    *,
    labels: Sequence[Label] | None = None,
    bins: int = 10,
) -> float:
    """The mean distance between confidence (best probability) and accuracy, over `bins`.

    Inputs and errors: as in `log_loss`; `bins` of equal width over 0 to 1. Between 0 and 1, 0 is
    best; no rows: 0.0. It depends on the number of bins and says nothing about single rows.
    Siblings: `reliability_bins` gives the parts; `brier` needs no bins.
    Source: Guo et al., "On calibration of modern neural networks", 2017, arXiv:1706.04599; the
    measure is from Naeini et al., 2015.

    >>> round(expected_calibration_error([[0.9, 0.1], [0.2, 0.8]], [0, 1]), 6)
    0.15
    """
    parts = reliability_bins(predictions, references, labels=labels, bins=bins)
    n = sum(part["count"] for part in parts)
    gaps = (part["count"] * abs(part["confidence"] - part["accuracy"]) for part in parts)
    return float(sum(gaps) / n) if n else 0.0


def reliability_bins(
    predictions: Column,
    references: Column,
    *,
    labels: Sequence[Label] | None = None,
    bins: int = 10,
) -> list[dict[str, float]]:
    """Mean confidence, accuracy and count of each bin of confidence that holds a row.

    Inputs and errors: as in `log_loss`. A bin holds confidences above `low` and up to `high`;
    empty bins are left out, since they have neither confidence nor accuracy.

    >>> reliability_bins([[0.75, 0.25], [0.5, 0.5]], [0, 1], bins=2)
    [{'low': 0.0, 'high': 0.5, 'confidence': 0.5, 'accuracy': 0.0, 'count': 1}, \
{'low': 0.5, 'high': 1.0, 'confidence': 0.75, 'accuracy': 1.0, 'count': 1}]
    """
    if bins < 1:
        raise ConfigError(f"bins is {bins}", allowed="1 or more")
    table, columns = probability_table(predictions, references, labels)
    if not len(columns):
        return []
    confidence, right = table.max(axis=1), table.argmax(axis=1) == columns
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    return [
        _bin(confidence[place == i], right[place == i], edges[i : i + 2]) for i in np.unique(place)
    ]


def _bin(
    confidence: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    edges: npt.NDArray[np.float64],
) -> dict[str, float]:
    return {
        "low": float(edges[0]),
        "high": float(edges[1]),
        "confidence": float(confidence.mean()),
        "accuracy": float(right.mean()),
        "count": len(right),
    }
