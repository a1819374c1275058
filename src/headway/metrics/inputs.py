"""What every metric does first: check the two columns it was given and turn labels into codes.

Labels are texts or numbers. Several labels a row are given either as a 2-D array of 0 and 1
([rows, labels]) or as one collection of labels a row.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError, nearest

__all__ = [
    "Column",
    "Encoded",
    "Label",
    "LabelSets",
    "as_floats",
    "choose",
    "encode",
    "encode_sets",
    "has_label_sets",
    "numbers",
    "same_length",
]

Column: TypeAlias = Sequence[Any] | npt.NDArray[Any]
Label: TypeAlias = str | int | float | bool


@dataclass(frozen=True)
class Encoded:
    """Two columns of labels as codes: code i means `names[i]`."""

    predictions: npt.NDArray[np.int64]  # [rows]
    references: npt.NDArray[np.int64]  # [rows]
    names: list[Label]


@dataclass(frozen=True)
class LabelSets:
    """Two columns of label sets as 0/1: column i means `names[i]`."""

    predictions: npt.NDArray[np.bool_]  # [rows, labels]
    references: npt.NDArray[np.bool_]  # [rows, labels]
    names: list[Label]


def same_length(predictions: Column, references: Column) -> None:
    """Refuses two columns that cannot be compared row by row."""
    if len(predictions) != len(references):
        raise ConfigError(
            f"{len(predictions)} predictions for {len(references)} references",
            allowed="one prediction for each reference, in the same order",
        )


def choose(name: str, value: str, allowed: Collection[str]) -> str:
    """The value of an option that takes one of a few words."""
    if value not in allowed:
        raise ConfigError(
            f"unknown {name} {value!r}",
            allowed=", ".join(allowed),
            next_step=nearest(str(value), allowed),
        )
    return value


def as_floats(values: Column, what: str) -> npt.NDArray[np.float64]:
    """Numbers as float64, of any shape; anything else, and ragged rows, are refused."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{what} are not numbers: {error}", allowed="numbers, as many in every row"
        ) from error


def numbers(values: Column, what: str) -> npt.NDArray[np.float64]:
    """A column of finite numbers as float64 [rows]; texts, NaN and infinity are refused."""
    array = as_floats(values, what)
    if array.ndim != 1:
        raise ConfigError(f"{what} have shape {list(array.shape)}", allowed="one number a row")
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ConfigError(
            f"row {wrong[0]} of the {what} is {array[wrong[0]]}", allowed="finite numbers"
        )
    return array


def has_label_sets(values: Column) -> bool:
    """True where a row holds several labels (a 2-D array, or a collection a row)."""
    if isinstance(values, np.ndarray):
        return values.ndim == 2
    return any(isinstance(row, set | frozenset | list | tuple | np.ndarray) for row in values)


def encode(
    predictions: Column, references: Column, labels: Sequence[Label] | None = None
) -> Encoded:
    """One label a row -> codes. Names: `labels` in their order, then any others, sorted.

    `labels=range(k)` with integer arrays promises that the labels already are the codes, which
    saves the look-up (the bootstrap asks for it a thousand times).
    """
    same_length(predictions, references)
    if isinstance(labels, range) and _are_codes(labels, predictions, references):
        return Encoded(np.asarray(predictions), np.asarray(references), list(labels))
    if labels is None and _are_integers(predictions, references):
        both = np.concatenate([predictions, references])
        found, codes = np.unique(both, return_inverse=True)
        n = len(predictions)
        return Encoded(codes[:n], codes[n:], found.tolist())
    columns = [
        _one_label_a_row(predictions, "predictions"),
        _one_label_a_row(references, "references"),
    ]
    names = _names(set(columns[0]), set(columns[1]), labels)
    code = {name: i for i, name in enumerate(names)}
    first, second = (
        np.fromiter((code[v] for v in column), dtype=np.int64, count=len(column))
        for column in columns
    )
    return Encoded(first, second, names)


def encode_sets(
    predictions: Column, references: Column, labels: Sequence[Label] | None = None
) -> LabelSets:
    """Several labels a row -> two 0/1 matrices with the same columns."""
    same_length(predictions, references)
    arrays = [isinstance(column, np.ndarray) for column in (predictions, references)]
    if all(arrays):
        return _from_matrices(np.asarray(predictions), np.asarray(references), labels)
    if any(arrays):
        raise ConfigError(
            "predictions and references hold their label sets in two ways",
            allowed="a 2-D array of 0 and 1 for both, or a collection of labels a row for both",
        )
    columns = [_sets(predictions, "predictions"), _sets(references, "references")]
    names = _names(set().union(*columns[0]), set().union(*columns[1]), labels)
    code = {name: i for i, name in enumerate(names)}
    first, second = (np.zeros((len(column), len(names)), dtype=bool) for column in columns)
    for matrix, column in zip((first, second), columns, strict=True):
        for row, chosen in enumerate(column):
            matrix[row, [code[name] for name in chosen]] = True
    return LabelSets(first, second, names)


def _are_integers(*columns: Column) -> bool:
    return all(
        isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype == np.int64
        for column in columns
    )


def _are_codes(labels: range, *columns: Column) -> bool:
    if labels != range(len(labels)) or not _are_integers(*columns):
        return False
    every = np.concatenate(columns)
    return not every.size or bool(every.min() >= 0 and every.max() < len(labels))


def _one_label_a_row(values: Column, what: str) -> list[Label]:
    if has_label_sets(values):
        raise ConfigError(
            f"the {what} hold several values a row",
            allowed="one label a row (take the best-scored label first)",
            next_step="for several labels a row use exact_match, micro_f1 or macro_f1",
        )
    rows = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return [_label(value, row, what) for row, value in enumerate(rows)]


def _label(value: Any, row: int, what: str) -> Label:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int) or (isinstance(value, float) and not math.isnan(value)):
        return value
    raise ConfigError(f"row {row} of the {what} is {value!r}", allowed="labels: texts or numbers")


def _names(
    predicted: set[Label], actual: set[Label], labels: Sequence[Label] | None
) -> list[Label]:
    given = list(labels or ())
    if len(set(given)) != len(given):
        raise ConfigError(f"labels name one label twice: {given}", allowed="each label once")
    found = predicted | actual
    texts = {isinstance(name, str) for name in found | set(given)}
    if len(texts) > 1:
        raise ConfigError(
            "some labels are texts and some are numbers: "
            + ", ".join(repr(n) for n in sorted(found, key=repr)[:6]),
            allowed="the same type of label in predictions, references and labels",
            next_step="turn label numbers into names, or names into numbers, on both sides",
        )
    return given + sorted(found - set(given))


def _sets(values: Column, what: str) -> list[set[Label]]:
    rows = []
    for row, value in enumerate(values):
        if isinstance(value, str) or not isinstance(value, Collection):
            raise ConfigError(
                f"row {row} of the {what} is {value!r}", allowed="a collection of labels a row"
            )
        rows.append([_label(v, row, what) for v in value])
    looks_binary = (
        rows and len({len(r) for r in rows}) == 1 and all(v in (0, 1) for r in rows for v in r)
    )
    if looks_binary and any(isinstance(value, list | tuple) and value for value in values):
        raise ConfigError(
            f"rows of 0 and 1 in the {what} could be label numbers or a 0/1 matrix",
            allowed="numpy.array(rows) for a 0/1 matrix, sets for label numbers",
        )
    return [set(row) for row in rows]


def _from_matrices(
    predictions: npt.NDArray[Any], references: npt.NDArray[Any], labels: Sequence[Label] | None
) -> LabelSets:
    if predictions.shape != references.shape or predictions.ndim != 2:
        raise ConfigError(
            f"predictions {list(predictions.shape)} and references {list(references.shape)}",
            allowed="two arrays of one shape [rows, labels]",
        )
    for what, array in (("predictions", predictions), ("references", references)):
        if not np.isin(array, (0, 1)).all():
            raise ConfigError(
                f"the {what} hold other values than 0 and 1",
                allowed="0 or 1 for each label (compare scores with a threshold first)",
            )
    names: list[Label] = list(labels) if labels is not None else list(range(predictions.shape[1]))
    if len(names) != predictions.shape[1]:
        raise ConfigError(f"{len(names)} labels for {predictions.shape[1]} columns")
    return LabelSets(predictions.astype(bool), references.astype(bool), names)
