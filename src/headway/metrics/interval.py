"""Confidence intervals: Wilson for shares of rows, the bootstrap for anything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.by_name import METRICS, metric
from headway.metrics.inputs import Column, Label, encode, encode_sets, has_label_sets, same_length

__all__ = ["bootstrap_interval", "confidence_interval", "wilson_interval"]

SHARES = ("accuracy", "exact_match")
LABEL_METRICS = ("precision", "recall", "f1", "macro_f1", "micro_f1", "weighted_f1")


def confidence_interval(
    name: str,
    predictions: Column,
    references: Column,
    *,
    level: float = 0.95,
    seed: int = 0,
    resamples: int = 1000,
    **options: Any,
) -> tuple[float, float]:
    """The interval that a metric's value on this test set stands for: Wilson or bootstrap.

    Inputs: as in `metric`; `level` of confidence; `seed` and `resamples` for the bootstrap.
    Accuracy and exact match are shares of rows and get Wilson's interval, all others the
    bootstrap over rows. It covers the choice of test rows, not of training rows or seed.
    Raises: ConfigError as in `metric`, and for a level outside 0 to 1.

    >>> low, high = confidence_interval("accuracy", [1] * 90 + [0] * 10, [1] * 100)
    >>> round(low, 4), round(high, 4)
    (0.8256, 0.9448)
    """
    value = metric(name, predictions, references, **options)[name]
    if name in SHARES:
        return wilson_interval(round(value * len(references)), len(references), level=level)
    if name in LABEL_METRICS:
        predictions, references, labels = _as_codes(predictions, references, options.get("labels"))
        options |= {"labels": labels}
    elif name == "mcc":
        predictions, references, _ = _as_codes(predictions, references, None)
    function = METRICS[name]
    return bootstrap_interval(
        lambda p, r: function(p, r, **options),
        predictions,
        references,
        level=level,
        seed=seed,
        resamples=resamples,
    )


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
    n = len(references)
    if n == 0 or resamples < 1:
        raise ConfigError(
            f"a bootstrap of {n} rows, {resamples} times", allowed="1 row or more, 1 time or more"
        )
    p, r = _rows(predictions), _rows(references)
    random = np.random.default_rng(seed)
    scores = []
    for _ in range(resamples):
        rows = random.integers(0, n, size=n)
        scores.append(score(p(rows), r(rows)))
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _as_codes(
    predictions: Column, references: Column, labels: Sequence[Label] | None
) -> tuple[Column, Column, range]:
    """Labels as codes, or sets as 0/1 columns.

    Codes are counted much faster than names, and the labels to average stay those of the whole
    test set when a resample misses a rare one.
    """
    if has_label_sets(predictions) or has_label_sets(references):
        sets = encode_sets(predictions, references, labels)
        kept = len(sets.names if labels is None else labels)
        return sets.predictions[:, :kept], sets.references[:, :kept], range(kept)
    codes = encode(predictions, references, labels)
    return (
        codes.predictions,
        codes.references,
        range(len(codes.names if labels is None else labels)),
    )


def _rows(column: Column) -> Callable[[npt.NDArray[np.int64]], Column]:
    if isinstance(column, np.ndarray):
        return lambda rows: column[rows]
    return lambda rows: [column[row] for row in rows]


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"confidence level {level}", allowed="above 0 and below 1, such as 0.95")
