"""Rankings against what is relevant: hits@k, mean reciprocal rank, nDCG.

A row is a query. Rankings come in two forms:

- lists: the ids that were found, best first; references are the relevant ids of each row, or a dict
  of ids and grades. What is not in the list was not found.
- scores, one float array [queries, documents]; references are grades [queries, documents] (0 is
  not relevant), or the column of the one relevant document of each query. Equal scores have no
  order: the value is the mean over all orders of theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, as_floats, same_length
from headway.metrics.row_sums import RowSums, mean_over_rows

__all__ = ["hits_at_k", "hits_at_k_rows", "mrr", "mrr_rows", "ndcg", "ndcg_rows"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def hits_at_k(predictions: Column, references: Column, *, k: int = 10) -> float:
    """The share of queries with a relevant document among the first `k`.

    Inputs: rankings and what is relevant, in either form of this file's head. A query without
    relevant documents is not hit; no rows: 0.0.
    Raises: ConfigError for unequal lengths or shapes, NaN, negative grades, a document found twice
    for one query, k below 1.
    Siblings: `mrr` minds the place of the first relevant one; `ndcg` the places and grades of all.

    >>> hits_at_k([["d3", "d1"], ["d2", "d4"]], [["d1"], ["d1", "d3"]], k=2)
    0.5
    """
    return hits_at_k_rows(predictions, references, k=k).value()


def mrr(predictions: Column, references: Column, *, k: int | None = None) -> float:
    """Mean of 1 / place of the first relevant document; 0 for a query where none is found.

    Inputs and errors: as in `hits_at_k`; only the first `k` places count, by default all.
    Source: Voorhees, "The TREC-8 question answering track report", 1999.

    >>> mrr([["d3", "d1"], ["d2", "d4"]], [["d1"], ["d2", "d3"]])
    0.75
    """
    return mrr_rows(predictions, references, k=k).value()


def ndcg(predictions: Column, references: Column, *, k: int | None = None) -> float:
    """Grades found, each divided by log2(1 + place), as a share of the best possible: 0 to 1.

    Inputs and errors: as in `hits_at_k`; only the first `k` places count, by default all. The gain
    of a document is its grade, not 2 ** grade - 1. A query without relevant documents is worth 0.
    Relation to scikit-learn: scores and grades give its `ndcg_score`, ties included.
    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.

    >>> round(ndcg([["d3", "d1"]], [{"d1": 2, "d2": 1}]), 6)
    0.479625
    """
    return ndcg_rows(predictions, references, k=k).value()


def hits_at_k_rows(predictions: Column, references: Column, *, k: int = 10) -> RowSums:
    """`hits_at_k` as sums over rows."""
    rankings = _rankings(predictions, references, k)
    within = [_first_within(first, k) for first in rankings.first.tolist()]
    return mean_over_rows(np.array(within, dtype=np.float64))


def mrr_rows(predictions: Column, references: Column, *, k: int | None = None) -> RowSums:
    """`mrr` as sums over rows."""
    rankings = _rankings(predictions, references, k)
    values = [_mean_reciprocal(first, k) for first in rankings.first.tolist()]
    return mean_over_rows(np.array(values, dtype=np.float64))


def ndcg_rows(predictions: Column, references: Column, *, k: int | None = None) -> RowSums:
    """`ndcg` as sums over rows."""
    rankings = _rankings(predictions, references, k)
    found, best = (_discounted(each, rankings.rows, k) for each in (rankings.found, rankings.best))
    return mean_over_rows(np.divide(found, best, out=np.zeros(rankings.rows), where=best > 0))


@dataclass(frozen=True)
class _Places:
    """Documents of all queries, best first: the query, the place from 0, and the grade of each."""

    row: Ints
    place: Ints
    grade: Floats


@dataclass(frozen=True)
class _Rankings:
    """What the measures need of all queries.

    Args:
        rows: how many queries.
        found: the grade at each place, the mean grade among equal scores.
        best: the relevant documents in the best order.
        first: of the first equal scores with a relevant document among them: the place, how many
            there are, how many of them are relevant, [rows, 3]; zeros where nothing is found.
    """

    rows: int
    found: _Places
    best: _Places
    first: Ints


def _first_within(first: Sequence[int], k: int) -> float:
    """The chance that one of the relevant documents lies before place `k`."""
    place, size, relevant = first
    free = min(max(k - place, 0), size)
    missed = 1.0
    for drawn in range(free if relevant else 0):
        missed *= (size - relevant - drawn) / (size - drawn)
    return 1.0 - missed


def _mean_reciprocal(first: Sequence[int], k: int | None) -> float:
    """The mean of 1 / place of the first relevant document."""
    place, size, relevant = first
    value, missed = 0.0, 1.0
    for drawn in range(size - relevant + 1 if relevant else 0):
        if k is not None and place + drawn >= k:
            break
        value += missed * relevant / (size - drawn) / (place + drawn + 1)
        missed *= (size - relevant - drawn) / (size - drawn)
    return value


def _discounted(places: _Places, rows: int, k: int | None) -> Floats:
    gains = places.grade / np.log2(places.place + 2)
    if k is not None:
        gains = np.where(places.place < k, gains, 0.0)
    return np.bincount(places.row, weights=gains, minlength=rows).astype(np.float64)


def _rankings(predictions: Column, references: Column, k: int | None) -> _Rankings:
    if k is not None and k < 1:
        raise ConfigError(f"k is {k}", allowed="1 or more")
    same_length(predictions, references)
    if isinstance(predictions, np.ndarray) and predictions.ndim == 2 and _is_float(predictions):
        found, begins, best = _of_scores(predictions, references)
    else:
        found, begins, best = _of_lists(predictions, references)
    rows = len(references)
    group = np.cumsum(begins) - 1  # [documents] equal scores of one query
    size = np.bincount(group)
    relevant = np.bincount(group, weights=found.grade > 0).astype(np.int64)
    mean = np.bincount(group, weights=found.grade) / size
    holding = np.flatnonzero(begins)[relevant > 0]  # where each group with a relevant one begins
    row, first = np.unique(found.row[holding], return_index=True)
    table = np.zeros((rows, 3), dtype=np.int64)
    chosen = np.flatnonzero(relevant)[first]
    table[row] = np.stack([found.place[holding[first]], size[chosen], relevant[chosen]], axis=1)
    return _Rankings(rows, _Places(found.row, found.place, mean[group]), best, table)


def _of_scores(
    scores: npt.NDArray[Any], references: Column
) -> tuple[_Places, npt.NDArray[np.bool_], _Places]:
    """Documents by score, where a new score begins, and documents by grade."""
    rows, documents = scores.shape
    grades = _grade_table(references, rows, documents)
    if not np.isfinite(scores).all():
        raise ConfigError("a score is NaN or infinite", allowed="finite scores")
    order = np.argsort(-scores, axis=1, kind="stable")
    sorted_scores = np.take_along_axis(scores, order, axis=1)
    begins = np.ones((rows, documents), dtype=bool)
    begins[:, 1:] = sorted_scores[:, 1:] != sorted_scores[:, :-1]
    row = np.repeat(np.arange(rows), documents)
    place = np.tile(np.arange(documents), rows)
    found = np.take_along_axis(grades, order, axis=1)
    best = -np.sort(-grades, axis=1)
    return (
        _Places(row, place, found.ravel()),
        begins.ravel(),
        _Places(row, place, best.ravel()),
    )


def _grade_table(references: Column, rows: int, documents: int) -> Floats:
    """Grades [queries, documents], also where one relevant column is named for each query."""
    grades = as_floats(references, "grades")
    if grades.shape == (rows,) and (grades == np.floor(grades)).all():
        if grades.size and not (grades.min() >= 0 and grades.max() < documents):
            raise ConfigError(
                f"a relevant column is outside 0 to {documents - 1}",
                allowed="columns of the scores",
            )
        return np.eye(documents)[grades.astype(np.int64)]
    if grades.shape != (rows, documents):
        raise ConfigError(
            f"scores {[rows, documents]} with references of shape {list(grades.shape)}",
            allowed="grades of the same shape, or one column number for each query",
        )
    if not (np.isfinite(grades) & (grades >= 0)).all():
        raise ConfigError("a grade is negative or not finite", allowed="grades from 0 up")
    return grades


def _of_lists(
    rankings: Column, references: Column
) -> tuple[_Places, npt.NDArray[np.bool_], _Places]:
    """The same of lists of ids, where every place is one of its own."""
    grades_of = [_grades(value, row) for row, value in enumerate(references)]
    lists = [_ids(value, row) for row, value in enumerate(rankings)]
    found = [
        [grades.get(each, 0.0) for each in ids]
        for ids, grades in zip(lists, grades_of, strict=True)
    ]
    best = [sorted(grades.values(), reverse=True) for grades in grades_of]
    places = _flat(found)
    return places, np.ones(len(places.row), dtype=bool), _flat(best)


def _flat(rows: Sequence[Sequence[float]]) -> _Places:
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    row = np.repeat(np.arange(len(rows)), lengths)
    place = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return _Places(row, place, np.array(list(chain.from_iterable(rows)), dtype=np.float64))


def _ids(value: Any, row: int) -> list[Hashable]:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise ConfigError(
            f"row {row} of the rankings is {value!r}",
            allowed="a list of ids, best first (or one float array of scores for all rows)",
        )
    ids = value.tolist() if isinstance(value, np.ndarray) else list(value)
    if any(isinstance(each, float) for each in ids):
        raise ConfigError(
            f"row {row} of the rankings holds fractions",
            allowed="ids, best first",
            next_step="scores are given as one array: numpy.array(scores)",
        )
    if len(dict.fromkeys(_hashable(ids, row))) != len(ids):
        raise ConfigError(f"row {row} ranks a document twice", allowed="each id once")
    return ids


def _grades(value: Any, row: int) -> dict[Hashable, float]:
    """Relevant ids and their grades; those of grade 0 are left out."""
    if isinstance(value, Mapping):
        grades = {each: float(grade) for each, grade in value.items()}
        if any(not (np.isfinite(grade) and grade >= 0) for grade in grades.values()):
            raise ConfigError(
                f"row {row} has a grade that is negative or not finite", allowed="grades from 0 up"
            )
        return {each: grade for each, grade in grades.items() if grade > 0}
    if isinstance(value, str | int | np.integer):
        return {value.item() if isinstance(value, np.integer) else value: 1.0}
    if not isinstance(value, Collection):
        raise ConfigError(
            f"row {row} of the references is {value!r}",
            allowed="an id, a collection of relevant ids, or a dict of ids and grades",
        )
    ids = value.tolist() if isinstance(value, np.ndarray) else value
    return dict.fromkeys(_hashable(ids, row), 1.0)


def _hashable(ids: Collection[Any], row: int) -> Collection[Hashable]:
    for each in ids:
        if not isinstance(each, Hashable):
            raise ConfigError(f"row {row} holds {each!r}", allowed="ids: texts or numbers")
    return ids


def _is_float(array: npt.NDArray[Any]) -> bool:
    return bool(np.issubdtype(array.dtype, np.floating))
