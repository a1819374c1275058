"""The kinds of labels a text can have: one of several, any of several, or a number.

A kind ties what the data's label column holds to targets, loss, predictions and scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.errors import DataError
from headway.heads import losses
from headway.metrics import (
    accuracy,
    bootstrap_interval,
    confidence_interval,
    confusion_matrix,
    exact_match,
    expected_calibration_error,
    log_loss,
    macro_f1,
    mae,
    micro_f1,
    mse,
    pearson,
    per_label,
    r2,
    reliability_bins,
    spearman,
)

__all__ = ["KINDS", "Kind", "kind_of", "label_names"]

Floats = npt.NDArray[np.float64]
MOST_POINTS = 2000


@dataclass(frozen=True)
class Kind:
    """What the numbers of a head mean.

    Attributes:
        loss: (logits, targets, class weights) -> mean loss.
        targets: (label column, names) -> tensor, one entry a row.
        predict: logits [n, classes] -> probabilities or numbers, float64 [n, classes].
        answer: (one row of `predict`, names) -> what is told to the user: label and score.
        score: (`predict`'s table, label column, names) -> the measures, of which `main` is one.
        main: the measure that early stopping and the headline go by.
    """

    loss: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    targets: Callable[[Sequence[Any], Sequence[str]], Tensor]
    predict: Callable[[Tensor], Floats]
    answer: Callable[[Floats, Sequence[str]], dict[str, Any]]
    score: Callable[[Floats, Sequence[Any], Sequence[str]], dict[str, Any]]
    main: str


def kind_of(column: Sequence[Any]) -> str:
    """The kind that a label column speaks of: lists, decimals, or anything else.

    >>> kind_of(["a", "b"]), kind_of([["a"], []]), kind_of([0.5, 2.0])
    ('single-label', 'multi-label', 'regression')
    """
    if all(isinstance(value, (list, tuple)) for value in column):
        return "multi-label"
    return "regression" if all(isinstance(value, float) for value in column) else "single-label"


def label_names(column: Sequence[Any], kind: str) -> tuple[str, ...]:
    """The labels of a training column in their order: numbers by value, others by name.

    Raises:
        DataError: fewer than two different labels, or a row without one.
    """
    if kind == "regression":
        return ("score",)
    flat = [label for row in column for label in row] if kind == "multi-label" else list(column)
    if any(label is None for label in flat):
        raise DataError("a training row has no label", next_step="fill it in or take the row out")
    distinct = set(flat)
    if len(distinct) < 2 and not (kind == "multi-label" and distinct):
        shown = ", ".join(map(str, distinct)) or "none"
        raise DataError(
            f"the training rows have one class only ({shown})",
            allowed="at least two different labels",
            next_step="name the column with --label, or add rows of another class",
        )
    numeric = all(isinstance(label, (int, float)) for label in distinct)
    return tuple(str(label) for label in sorted(distinct, key=None if numeric else str))


def _number_of(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _unknown(label: Any, names: Sequence[str]) -> DataError:
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return DataError(
        f"label {str(label)!r} is in these rows but was not among the training labels",
        allowed=shown,
        next_step="give training rows with it, or take these rows out",
    )


def _one_of(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    numbers = _number_of(names)
    for label in column:
        if str(label) not in numbers:
            raise _unknown(label, names)
    return torch.tensor([numbers[str(label)] for label in column], dtype=torch.int64)


def _any_of(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    numbers = _number_of(names)
    table = torch.zeros(len(column), len(names))
    for row, labels in enumerate(column):
        for label in labels:
            if str(label) not in numbers:
                raise _unknown(label, names)
            table[row, numbers[str(label)]] = 1.0
    return table


def _values(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    for row, value in enumerate(column):
        if not isinstance(value, (int, float)) or not np.isfinite(value):
            raise DataError(f"row {row}: label {value!r} is not a number", allowed="finite numbers")
    return torch.tensor([float(value) for value in column])


def _softmax(logits: Tensor) -> Floats:
    table: Floats = logits.double().softmax(dim=-1).numpy()
    return table


def _sigmoid(logits: Tensor) -> Floats:
    table: Floats = logits.double().sigmoid().numpy()
    return table


def _plain(logits: Tensor) -> Floats:
    table: Floats = logits.double().numpy()
    return table


def _best(row: Floats, names: Sequence[str]) -> dict[str, Any]:
    best = int(row.argmax())
    return {"label": names[best], "score": float(row[best])}


def _above_half(row: Floats, names: Sequence[str]) -> dict[str, Any]:
    chosen = [n for n in row.argsort()[::-1] if row[n] >= 0.5]
    return {
        "label": [names[n] for n in chosen],
        "score": [float(row[n]) for n in chosen],
    }


def _number(row: Floats, names: Sequence[str]) -> dict[str, Any]:
    return {"label": names[0], "score": float(row[0])}


def _score_one(table: Floats, column: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    truth = [names[code] for code in _one_of(column, names)]
    chosen = [names[code] for code in table.argmax(axis=1)]
    return {
        "n": len(truth),
        "accuracy": accuracy(chosen, truth),
        "macro_f1": macro_f1(chosen, truth, labels=names),
        "confidence_interval_95": list(confidence_interval("accuracy", chosen, truth)),
        "per_label": per_label(chosen, truth, labels=names),
        "confusion": np.asarray(confusion_matrix(chosen, truth, labels=names)).tolist(),
        "loss": log_loss(table, truth, labels=names),
        "calibration": {
            "expected_calibration_error": expected_calibration_error(table, truth, labels=names),
            "bins": reliability_bins(table, truth, labels=names),
        },
    }


def _score_any(table: Floats, column: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    truth = _any_of(column, names).numpy().astype(bool)
    chosen = table >= 0.5
    return {
        "n": len(truth),
        "accuracy": exact_match(chosen, truth),
        "micro_f1": micro_f1(chosen, truth),
        "macro_f1": macro_f1(chosen, truth, labels=names),
        "confidence_interval_95": list(confidence_interval("exact_match", chosen, truth)),
        "per_label": per_label(chosen, truth, labels=names),
    }


def _score_values(table: Floats, column: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    truth = _values(column, names).double().numpy()
    found = table[:, 0]
    points = np.stack([truth, found], axis=1)[:MOST_POINTS]
    return {
        "n": len(truth),
        "pearson": pearson(found, truth),
        "spearman": spearman(found, truth),
        "mse": mse(found, truth),
        "mae": mae(found, truth),
        "r2": r2(found, truth),
        "confidence_interval_95": list(bootstrap_interval(pearson, found, truth)),
        "points": points.tolist(),
    }


KINDS: dict[str, Kind] = {
    "single-label": Kind(losses.single_label, _one_of, _softmax, _best, _score_one, "accuracy"),
    "multi-label": Kind(losses.multi_label, _any_of, _sigmoid, _above_half, _score_any, "micro_f1"),
    "regression": Kind(losses.regression, _values, _plain, _number, _score_values, "pearson"),
}
"""Name -> kind."""
