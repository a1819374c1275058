"""The kinds of labels a text can have: one of several, any of several, or a number.

A kind ties what a label column holds (`labels.py` says what it may) to targets, loss, predictions
and scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
from headway.tasks.labels.columns import label_name, wrong_label

__all__ = ["KINDS", "Kind", "weight_of"]

Floats = npt.NDArray[np.float64]
MOST_POINTS = 2000


@dataclass(frozen=True)
class Kind:
    """What the numbers of a head mean.

    Attributes:
        loss: (logits, targets, class weights) -> the sum of each term of the loss.
        counts: (targets, class weights) -> what each of them is divided by.
        targets: (label column, names) -> tensor, one entry a row.
        predict: logits [n, classes] -> probabilities or numbers, float64 [n, classes].
        answer: (one row of `predict`, names) -> what is told to the user: label and score.
        score: (`predict`'s table, label column, names) -> the measures, of which `main` is one.
        main: the measure that early stopping and the headline go by.
    """

    loss: Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, ...]]
    counts: Callable[[Tensor, Tensor | None], tuple[float, ...]]
    targets: Callable[[Sequence[Any], Sequence[str]], Tensor]
    predict: Callable[[Tensor], Floats]
    answer: Callable[[Floats, Sequence[str]], dict[str, Any]]
    score: Callable[[Floats, Sequence[Any], Sequence[str]], dict[str, Any]]
    main: str


def _rows_of(targets: Tensor, weights: Tensor | None) -> tuple[float, ...]:
    """How many rows there are."""
    return (float(len(targets)),)


def weight_of(targets: Tensor, weights: Tensor | None) -> tuple[float, ...]:
    """What rows of these classes count together."""
    return _rows_of(targets, None) if weights is None else (float(weights[targets].sum()),)


def _summed(
    loss: Callable[[Tensor, Tensor, Tensor | None], Tensor],
) -> Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, ...]]:
    """A loss of one term."""
    return lambda logits, targets, weights: (loss(logits, targets, weights).sum(),)


def _one_of(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    numbers = _numbers(column, names)
    return torch.tensor([numbers[label_name(label)] for label in column], dtype=torch.int64)


def _any_of(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    numbers = _numbers([label for labels in column for label in labels], names)
    table = torch.zeros(len(column), len(names))
    for row, labels in enumerate(column):
        table[row, [numbers[label_name(label)] for label in labels]] = 1.0
    return table


def _values(column: Sequence[Any], names: Sequence[str]) -> Tensor:
    for row, value in enumerate(column):
        if wrong := wrong_label(value, "regression"):
            raise DataError(f"row {row}: {wrong}", allowed="finite numbers")
    text = next((value for value in column if isinstance(value, str)), None)
    if text is not None:
        raise DataError(
            f"numbers that are stored as texts, such as {text!r:.60}",
            allowed="finite numbers",
            next_step="write all of them like 12, 0.5 or 6e-08, and without quotation marks",
        )
    return torch.tensor([float(value) for value in column], dtype=torch.float64)


def _numbers(labels: Iterable[Any], names: Sequence[str]) -> dict[str, int]:
    """Name -> number of the output; every label is checked to be among them."""
    numbers = {name: number for number, name in enumerate(names)}
    unknown = Counter(name for name in map(label_name, labels) if name not in numbers)
    if unknown:
        shown = ", ".join(f"{name!r} ({count})" for name, count in sorted(unknown.items())[:10])
        raise DataError(
            f"labels that are in these rows but were not among the training labels: {shown}"
            + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""),
            allowed=", ".join(names[:20]) + (", ..." if len(names) > 20 else ""),
            next_step="give training rows with them, or take these rows out",
        )
    return numbers


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
    truth = _values(column, names).numpy()
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
    "single-label": Kind(
        _summed(losses.single_label), weight_of, _one_of, _softmax, _best, _score_one, "accuracy"
    ),
    "multi-label": Kind(
        _summed(losses.multi_label),
        _rows_of,
        _any_of,
        _sigmoid,
        _above_half,
        _score_any,
        "micro_f1",
    ),
    "regression": Kind(
        _summed(losses.regression), _rows_of, _values, _plain, _number, _score_values, "pearson"
    ),
}
"""Name -> kind."""
