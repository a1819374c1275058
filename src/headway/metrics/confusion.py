"""The confusion matrix, and the Matthews correlation made from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, Label, encode

__all__ = ["confusion_matrix", "mcc"]


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
