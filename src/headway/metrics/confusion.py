"""The confusion matrix, and what is made of it: Matthews correlation and Cohen's kappa."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, Label, choose, encode

__all__ = ["cohen_kappa", "confusion_matrix", "mcc"]

KAPPA_WEIGHTS = ("none", "linear", "quadratic")


def confusion_matrix(
    predictions: Column, references: Column, *, labels: Sequence[Label] | None = None
) -> npt.NDArray[np.int64]:
    """How often each reference label (row) got each predicted label (column).

    Inputs: two columns of n labels; `labels` gives the order of rows and columns, by default all
    that occur, sorted. Result: int64 [labels, labels]; its sum is n.
    Raises: ConfigError for unequal lengths, or a label that `labels` does not name.
    Siblings: `per_label` reads precision, recall and F1 off it; `mcc` makes one number of it.

    >>> confusion_matrix(["a", "b", "b"], ["a", "a", "b"]).tolist()
    [[1, 1], [0, 1]]
    """
    codes = encode(predictions, references, labels)
    k = len(codes.names)
    if labels is not None and k > len(labels):
        raise ConfigError(
            f"label {codes.names[len(labels)]!r} is not among the labels given",
            allowed=", ".join(map(str, labels)),
        )
    cells = np.bincount(codes.references * k + codes.predictions, minlength=k * k)
    return cells.reshape(k, k).astype(np.int64)  # [reference, prediction]


def mcc(predictions: Column, references: Column) -> float:
    """Matthews correlation coefficient: +1 all right, 0 no better than chance, -1 all wrong.

    Inputs: two columns of n labels, two classes or more. A constant column carries no
    information: 0.0; no rows: 0.0.
    Raises: ConfigError for unequal lengths.
    Siblings: unlike `accuracy` it gives nothing for always saying the largest class; GLUE's
    measure for CoLA.
    Source: Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", 2004; for two classes Matthews, 1975.

    >>> round(mcc([1, 1, 0, 1], [1, 1, 0, 0]), 6)
    0.57735
    """
    matrix = confusion_matrix(predictions, references).astype(np.float64)
    n, right = matrix.sum(), np.trace(matrix)
    actual, predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    spread = (n**2 - predicted @ predicted) * (n**2 - actual @ actual)
    if spread <= 0:
        return 0.0
    return float((right * n - actual @ predicted) / np.sqrt(spread))


def cohen_kappa(
    predictions: Column,
    references: Column,
    *,
    weights: str = "none",
    labels: Sequence[Label] | None = None,
) -> float:
    """Agreement beyond chance: 1 always, 0 as often as two who do not look, negative less often.

    Inputs: two columns of n labels; `weights` of a disagreement: "none" (all alike), "linear" or
    "quadratic" in the distance between the labels' places; `labels` gives these places, by default
    all that occur, sorted; rows with other labels than those are left out. Columns that hold one
    and the same label only leave nothing beyond chance: 0.0; no rows: 0.0.
    Raises: ConfigError for unequal lengths or unknown weights.
    Siblings: `accuracy` is the agreement before chance is taken off; `mcc` takes it off otherwise.
    Source: Cohen, "A coefficient of agreement for nominal scales", 1960; weights: Cohen, 1968.

    >>> cohen_kappa(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.5
    """
    choose("weights", weights, KAPPA_WEIGHTS)
    codes = encode(predictions, references, labels)
    k = len(codes.names)
    cells = np.bincount(codes.references * k + codes.predictions, minlength=k * k)
    kept = k if labels is None else len(labels)
    observed = cells.reshape(k, k)[:kept, :kept].astype(np.float64)  # [reference, prediction]
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / max(1.0, observed.sum())
    distance = np.abs(np.subtract.outer(np.arange(kept), np.arange(kept))).astype(np.float64)
    cost = {"none": (distance > 0) * 1.0, "linear": distance, "quadratic": distance**2}[weights]
    chance = float((cost * expected).sum())
    return 1.0 - float((cost * observed).sum()) / chance if chance > 0 else 0.0
