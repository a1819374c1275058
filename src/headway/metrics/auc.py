"""Area under the ROC curve: are rows of a label scored above the others?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.correlation import ranks
from headway.metrics.inputs import Column, Label, as_floats, encode, same_length

__all__ = ["auc"]

CHANCE = 0.5
Floats: TypeAlias = npt.NDArray[np.float64]


def auc(predictions: Column, references: Column, *, labels: Sequence[Label] | None = None) -> float:
    """The chance that a row of the label is scored above a row of another; ties count half.

    Inputs: for two labels a score a row, such as a probability or a logit of the second one: any
    finite numbers, of which only the order counts. For more, scores [rows, labels]: the mean over
    the labels that occur, each against all others (one-vs-rest, macro). Two columns are taken as
    the second one. `labels` names the columns, by default their numbers; or, where there is one
    score a row, the two labels in the order no, yes, by default those that occur, sorted.
    Between 0 and 1; 0.5 is chance, also where all rows have one label; no rows: 0.0.
    Raises: ConfigError for unequal lengths, NaN, labels that do not fit the columns.
    Siblings: `mcc` and `f1` judge decisions at one threshold; this judges the order at all.
    Relation to scikit-learn: equal to `roc_auc_score`, there with `multi_class="ovr"`, which does
    not take labels that never occur.
    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.

    >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    same_length(predictions, references)
    if not len(references):
        return 0.0
    table = _scores(predictions)
    columns = table.shape[1]
    if labels is None and columns > 1:
        labels = range(columns)
    codes = encode(references, references, labels)
    if labels is None and len(codes.names) == 1:
        return CHANCE
    if len(codes.names) != max(columns, 2):
        raise ConfigError(
            f"{len(codes.names)} labels ({', '.join(map(str, codes.names[:6]))}) for"
            f" {columns} columns of scores",
            allowed="one score a row for two labels, else a column a label",
            next_step="name the columns with labels=[...]",
        )
    if columns <= 2:
        return _area(table[:, -1], codes.references == 1)
    areas = [_area(table[:, c], codes.references == c) for c in np.unique(codes.references)]
    return float(np.mean(areas))


def _area(scores: Floats, positive: npt.NDArray[np.bool_]) -> float:
    n = int(positive.sum())
    pairs = n * (len(scores) - n)
    if not pairs:
        return CHANCE
    above = float(ranks(scores)[positive].sum()) - n * (n + 1) / 2
    return above / pairs


def _scores(predictions: Column) -> Floats:
    """Scores [rows, columns]; one a row is one column."""
    table = as_floats(predictions, "predictions")
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.shape[1]:
        raise ConfigError(
            f"scores have shape {list(table.shape)}", allowed="[rows], or [rows, labels]"
        )
    for row in np.flatnonzero(~np.isfinite(table).all(axis=1))[:1]:
        raise ConfigError(f"row {row} of the predictions is {table[row]}", allowed="finite numbers")
    return table
