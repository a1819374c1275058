"""Confidence intervals: Wilson for shares of rows, the bootstrap for anything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.by_name import METRICS, ROW_SUMS, check_options, columns_of, metric
from headway.metrics.inputs import Column, same_length
from headway.metrics.label_codes import as_codes
from headway.metrics.row_sums import RowSums

__all__ = ["bootstrap_interval", "confidence_interval", "wilson_interval"]

SHARES = {"accuracy": 1, "exact_match": 1, "squad_exact_match": 100, "squad_v2_exact_match": 100}
"""Metrics that are a share of rows, and what they are multiplied by."""
MOST_DRAWN = 2**22  # rows times resamples that are drawn at once: 32 MiB

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def confidence_interval(
    name: str,
    predictions: Column,
    references: Column | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 1000,
    **options: Any,
) -> tuple[float, float]:
    """The interval that a metric's value on this test set stands for: Wilson or bootstrap.

    Inputs: as in `metric`, the name of one metric; `level` of confidence; `seed` and `resamples`
    for the bootstrap. Accuracy and exact match are shares of rows and get Wilson's interval, all
    others the bootstrap over rows. Metrics of ROW_SUMS read the texts once, however many resamples
    there are. It covers the choice of test rows, not of training rows or seed.
    Raises: ConfigError as in `metric`, for a set of metrics, a level outside 0 to 1.

    >>> low, high = confidence_interval("accuracy", [1] * 90 + [0] * 10, [1] * 100)
    >>> round(low, 4), round(high, 4)
    (0.8256, 0.9448)
    """
    _check_level(level)
    columns: Sequence[Column] = columns_of(name, predictions, references)
    if name in SHARES:
        scale, n = SHARES[name], len(predictions)
        right = round(metric(name, predictions, references, **options)[name] / scale * n)
        low, high = wilson_interval(right, n, level=level)
        return scale * low, scale * high
    random = _draws(len(predictions), seed, resamples)
    if name in ROW_SUMS:
        check_options(name, (name,), options)
        return _middle(_sum_scores(ROW_SUMS[name](*columns, **options), random), level)
    metric(name, predictions, references, **options)  # its errors speak of rows, not of resamples
    columns, options = as_codes(name, columns, options)
    function = METRICS[name]
    return _middle(_scores(lambda *drawn: function(*drawn, **options), columns, random), level)


def wilson_interval(right: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share: `right` of `n` rows.

    Unlike the share plus or minus two standard errors it stays inside 0 to 1 and is right for
    small n and shares near 0 or 1. No rows: (0.0, 1.0), nothing is known.
    Raises: ConfigError for right outside 0 to n, or a level outside 0 to 1.
    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927;
    compared in Brown, Cai and DasGupta, 2001.

    >>> tuple(round(v, 4) for v in wilson_interval(18, 500))
    (0.0229, 0.0562)
    """
    _check_level(level)
    if not 0 <= right <= n:
        raise ConfigError(f"{right} right of {n}", allowed="0 <= right <= n")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if right == 0 else max(0.0, centre - half)
    high = 1.0 if right == n else min(1.0, centre + half)
    return low, high


def bootstrap_interval(
    score: Callable[[Any, Any], float],
    predictions: Column,
    references: Column,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[float, float]:
    """Percentile bootstrap: the middle `level` of the scores of resampled test sets.

    Inputs: `score(predictions, references)`, any function of two columns; the columns; the same
    seed gives the same interval. Time is `resamples` calls of `score`.
    Raises: ConfigError for unequal lengths, no rows, fewer than 1 resample, a level outside 0 to 1.
    Siblings: `wilson_interval` is exact enough and immediate for shares.
    Source: Efron, "Bootstrap methods: another look at the jackknife", 1979.

    >>> from headway.metrics import mae
    >>> bootstrap_interval(mae, [1.0, 2.0], [0.0, 1.0])
    (1.0, 1.0)
    """
    _check_level(level)
    same_length(predictions, references)
    random = _draws(len(references), seed, resamples)
    return _middle(_scores(score, (predictions, references), random), level)


def _draws(n: int, seed: int, resamples: int) -> Iterator[Ints]:
    """The rows of each resampled test set, [n] each."""
    if n == 0 or resamples < 1:
        raise ConfigError(
            f"a bootstrap of {n} rows, {resamples} times", allowed="1 row or more, 1 time or more"
        )
    random = np.random.default_rng(seed)
    return (random.integers(0, n, size=n) for _ in range(resamples))


def _scores(
    score: Callable[..., float], columns: Sequence[Column], draws: Iterator[Ints]
) -> list[float]:
    of_rows = [_rows(column) for column in columns]
    return [score(*(of(rows) for of in of_rows)) for rows in draws]


def _sum_scores(parts: RowSums, draws: Iterator[Ints]) -> Floats:
    """The same, where sums over rows are enough: how often each row was drawn times the rows."""
    n = len(parts.rows)
    scores = []
    while some := list(islice(draws, max(1, MOST_DRAWN // n))):
        times = np.stack([np.bincount(rows, minlength=n) for rows in some])  # [resamples, rows]
        scores.append(parts.score(times.astype(np.float64) @ parts.rows))
    return np.concatenate(scores)


def _middle(scores: Floats | list[float], level: float) -> tuple[float, float]:
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _rows(column: Column) -> Callable[[npt.NDArray[np.int64]], Column]:
    if isinstance(column, np.ndarray):
        return lambda rows: column[rows]
    return lambda rows: [column[row] for row in rows]


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"confidence level {level}", allowed="above 0 and below 1, such as 0.95")
