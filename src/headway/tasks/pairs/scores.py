"""How well nearness of vectors agrees with people: in order, or by what is found for a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.metrics import wilson_interval
from headway.metrics.retrieval import hits_at_k_rows, mrr_rows
from headway.tasks.measured import Measured

__all__ = [
    "Scores",
    "measured_retrieval",
    "measured_similarity",
    "nearest_seconds",
    "score_retrieval",
    "score_similarity",
]

Floats = npt.NDArray[np.float64]
Scores = Callable[[slice, Sequence[int]], npt.NDArray[np.floating]]
"""(some pairs, numbers of others) -> how near first texts of those are to second ones of these."""

AT_ONCE = 256
MOST_POINTS = 2000
TEN = 10


def measured_similarity(found: Floats, truth: Floats) -> dict[str, Measured]:
    """Correlations of cosines with the scores of people, whatever the unit of these."""
    return {name: Measured(name, found, truth) for name in ("spearman", "pearson")}


def score_similarity(found: Floats, truth: Floats) -> dict[str, Any]:
    """The measures, and what stands behind them."""
    measured = measured_similarity(found, truth)
    return {
        "n": len(truth),
        **{name: one.value() for name, one in measured.items()},
        "confidence_interval_95": list(measured["spearman"].interval()),
        "points": np.stack([truth, found], axis=1)[:MOST_POINTS].tolist(),
    }


def measured_retrieval(texts: Sequence[tuple[str, str]], scores: Scores) -> dict[str, Measured]:
    """Whether each first text finds its second one among all second texts.

    A text that is there often is one candidate; a first text that is there often has several right
    ones.

    Args:
        texts: the pairs.
        scores: how near they are.
    """
    right = _right_ones(texts)
    values: dict[str, list[float]] = {"accuracy": [], "mrr": [], "recall_at_10": []}
    for part, table, seconds in _tables(texts, scores):
        grades = np.zeros(table.shape)
        for row, (first, _) in enumerate(texts[part]):
            grades[row] = [text in right[first] for text in seconds]
        for name, sums in (
            ("accuracy", hits_at_k_rows(table, grades, k=1)),
            ("mrr", mrr_rows(table, grades)),
            ("recall_at_10", hits_at_k_rows(table, grades, k=TEN)),
        ):
            values[name] += sums.rows[:, 0].tolist()
    # A mean of the rows' values is how far they are from 0: the whole table is never held at once.
    return {name: Measured("mae", each, [0.0] * len(each)) for name, each in values.items()}


def score_retrieval(texts: Sequence[tuple[str, str]], scores: Scores) -> dict[str, Any]:
    """The measures, and what stands behind them; the arguments are those of the above."""
    measured = measured_retrieval(texts, scores)
    found = round(sum(measured["accuracy"].predictions))
    return {
        "n": len(texts),
        **{name: one.value() for name, one in measured.items()},
        "candidates": len(_numbers(texts)),
        "confidence_interval_95": list(wilson_interval(found, len(texts))),
    }


def nearest_seconds(
    texts: Sequence[tuple[str, str]], scores: Scores
) -> list[tuple[str, float, bool]]:
    """For each first text the nearest second one, how near it is, and whether it is a right one."""
    right = _right_ones(texts)
    found = []
    for part, table, seconds in _tables(texts, scores):
        for (first, _), row in zip(texts[part], table, strict=True):
            best = int(row.argmax())
            found.append((seconds[best], float(row[best]), seconds[best] in right[first]))
    return found


def _tables(
    texts: Sequence[tuple[str, str]], scores: Scores
) -> Iterator[tuple[slice, Floats, list[str]]]:
    """Some pairs, the scores [pairs, candidates] of their first texts, and the candidates."""
    numbers = _numbers(texts)
    for start in range(0, len(texts), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        table = np.asarray(scores(part, list(numbers.values())), dtype=np.float64)
        yield part, table, list(numbers)


def _numbers(texts: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Each different second text, and the first pair that has it."""
    found: dict[str, int] = {}
    for number, (_, second) in enumerate(texts):
        found.setdefault(second, number)
    return found


def _right_ones(texts: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for first, second in texts:
        found.setdefault(first, set()).add(second)
    return found
