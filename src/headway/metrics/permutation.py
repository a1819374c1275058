"""Permutation test: do two models differ in a metric, on the same rows, by more than chance?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.by_name import METRICS, ROW_SUMS, check_options, columns_of, metric
from headway.metrics.inputs import Column
from headway.metrics.label_codes import as_codes

__all__ = ["permutation_test"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flips: TypeAlias = npt.NDArray[np.bool_]  # [choices, rows]: where the two models are exchanged
Scores: TypeAlias = Callable[[Flips], tuple[Floats, Floats]]  # the metric of each [choices]

MOST_EXCHANGED = 2**22  # rows times choices that are made at once: 32 MiB of float64
SAME = 1e-12  # differences nearer than this, of numbers around 1, are equal


def permutation_test(
    name: str,
    first: Column,
    second: Column,
    references: Column | None = None,
    *,
    samples: int = 10_000,
    seed: int = 0,
    **options: Any,
) -> dict[str, float]:
    """Two-sided paired permutation test of two models' predictions for the same rows.

    Were the models equally good, each row's two predictions could be exchanged. The test exchanges
    them in `samples` random choices of rows, or in all choices there are where those are fewer, and
    counts how often the metric of the two differs by as much as it did.
    Inputs: the name of one metric; two columns of predictions, and references, as it takes them;
    `samples` and `seed` of the choices; the metric's own options.
    Result: `first` and `second`, the metric of each; `difference`, first minus second; `p_value`,
    never below 1 / (samples + 1) where choices were drawn; `samples`, how many choices there were.
    Labels that either model says count for both, as in macro F1. No rows: p_value 1.0. Time: the
    metrics of ROW_SUMS read the rows once; all others are computed twice for each choice.
    Raises: ConfigError as `metric`, for unequal lengths, fewer than 1 sample.
    Siblings: `mcnemar` is its exact form for accuracy; `confidence_interval` tells about one model.
    Source: Fisher, The design of experiments, 1935; with drawn choices (approximate
    randomization): Noreen, Computer-intensive methods for testing hypotheses, 1989. The value of p
    is that of Phipson and Smyth, "Permutation p-values should never be zero", 2010.

    >>> right, half = ["a"] * 8, ["a", "b"] * 4
    >>> permutation_test("accuracy", right, half, right)["p_value"]
    0.125
    """
    if samples < 1:
        raise ConfigError(f"samples is {samples}", allowed="1 or more")
    if len(first) != len(second):
        raise ConfigError(
            f"{len(first)} predictions of the first model for {len(second)} of the second",
            allowed="both for the same rows, in the same order",
        )
    check_options(name, (name,), options)
    try:
        rows, scores = _exchangeable(name, first, second, references, options)
    except ConfigError:
        for each in (first, second):  # says it with the number of the model's own row
            metric(name, each, references, **options)
        raise
    one, other = (float(each[0]) for each in scores(np.zeros((1, rows), dtype=bool)))
    exact = 2**rows <= samples
    choices = 2**rows if exact else samples
    limit = abs(one - other) - SAME * max(1.0, abs(one), abs(other))
    as_far = 0
    for flips in _all_flips(rows) if exact else _random_flips(rows, samples, seed):
        exchanged = scores(flips)
        as_far += int((np.abs(exchanged[0] - exchanged[1]) >= limit).sum())
    return {
        "first": one,
        "second": other,
        "difference": one - other,
        "p_value": as_far / choices if exact else (as_far + 1) / (choices + 1),
        "samples": choices,
    }


def _exchangeable(
    name: str, first: Column, second: Column, references: Column | None, options: dict[str, Any]
) -> tuple[int, Scores]:
    """How many rows can make a difference, and the metric of both models after exchanges there."""
    for option in ("no_answer",):
        if option in options:
            raise ConfigError(
                f"{option} belongs to the predictions of one model",
                next_step="put '' in the place of predictions that it overrules",
            )
    n = len(first)
    # Read together, so that labels which only one of the models says count for both.
    twice = None if references is None else _joined(references, references)
    columns = columns_of(name, _joined(first, second), twice)
    if name in ROW_SUMS:
        parts = ROW_SUMS[name](*columns, **options)
        return _of_sums(parts.rows[:n], parts.rows[n:], parts.score) if n else (0, _nothing)
    (both, *others), options = as_codes(name, columns, options)
    function = METRICS[name]
    others = [column[:n] for column in others]
    return _of_columns(both[:n], both[n:], lambda column: function(column, *others, **options))


def _of_sums(
    first: Floats, second: Floats, score: Callable[[Floats], Floats]
) -> tuple[int, Scores]:
    apart = first - second
    differing = apart[(apart != 0).any(axis=1)]  # [rows that can make a difference, statistics]
    sums = first.sum(axis=0), second.sum(axis=0)

    def scores(flips: Flips) -> tuple[Floats, Floats]:
        moved = flips.astype(np.float64) @ differing  # [choices, statistics]
        return score(sums[0] - moved), score(sums[1] + moved)

    return len(differing), scores


def _of_columns(
    first: Column, second: Column, score: Callable[[Column], float]
) -> tuple[int, Scores]:
    differing = np.flatnonzero([np.any(a != b) for a, b in zip(first, second, strict=True)])

    def scores(flips: Flips) -> tuple[Floats, Floats]:
        pairs = []
        for flip in flips:
            rows = differing[flip]
            pairs.append(
                [score(_replaced(*each, rows)) for each in ((first, second), (second, first))]
            )
        table = np.array(pairs, dtype=np.float64)  # [choices, model]
        return table[:, 0], table[:, 1]

    return len(differing), scores


def _replaced(column: Column, other: Column, rows: Ints) -> Column:
    """The column with the other one's values at some rows."""
    if isinstance(column, np.ndarray) and isinstance(other, np.ndarray):
        column = column.copy()
        column[rows] = other[rows]
        return column
    values = list(column)
    for row in rows:
        values[row] = other[row]
    return values


def _joined(first: Column, second: Column) -> Column:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.concatenate([first, second])
    return [*first, *second]


def _nothing(flips: Flips) -> tuple[Floats, Floats]:
    return np.zeros(len(flips)), np.zeros(len(flips))


def _all_flips(rows: int) -> Iterator[Flips]:
    yield (np.arange(2**rows)[:, None] >> np.arange(rows) & 1).astype(bool)


def _random_flips(rows: int, samples: int, seed: int) -> Iterator[Flips]:
    random = np.random.default_rng(seed)
    at_once = max(1, MOST_EXCHANGED // rows)
    for start in range(0, samples, at_once):
        shape = (min(at_once, samples - start), -(-rows // 8))
        bits = random.integers(0, 256, shape, dtype=np.uint8)  # eight rows a byte
        yield np.unpackbits(bits, axis=1, count=rows).astype(bool)
