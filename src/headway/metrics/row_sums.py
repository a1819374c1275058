"""A metric as sums over rows: what lets thousands of resampled test sets cost one product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["RowSums", "mean_over_rows"]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RowSums:
    """What a metric needs to know of each row, and its value for sums of that.

    BLEU, for one, is a function of n-gram counts summed over the rows: to score another choice of
    rows, only the sums are made anew, not the counts.

    Args:
        rows: statistics, float64 [rows, statistics].
        score: sums [..., statistics] -> values [...].
    """

    rows: Floats
    score: Callable[[Floats], Floats]

    def value(self) -> float:
        """The metric of all rows; no rows: 0.0."""
        return float(self.score(self.rows.sum(axis=0))) if len(self.rows) else 0.0


def mean_over_rows(values: Floats, scale: float = 1.0) -> RowSums:
    """The metric that is the mean of one value a row [rows], times `scale`.

    >>> import numpy as np
    >>> mean_over_rows(np.array([0.0, 1.0]), scale=100).value()
    50.0
    """
    rows = np.stack([values, np.ones(len(values))], axis=1)  # [rows, value and count]
    return RowSums(rows, lambda sums: scale * sums[..., 0] / sums[..., 1])
