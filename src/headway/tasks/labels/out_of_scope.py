"""Texts that belong to none of the labels: a rule beside a classifier of those that do.

The head knows only labels in scope. Its score says how surely a text belongs to one of them, and
below a threshold, calibrated on rows that do not train, the answer is the label for all others.
Training rows of that label, where there are some, teach the head to be unsure.

Sources: the problem and its measures, Larson et al. 2019 (arXiv 1909.02027); the largest
probability as a score, Hendrycks & Gimpel 2016 (arXiv 1610.02136); energy, Liu et al. 2020 (arXiv
2010.03759); training to be unsure, Hendrycks et al. 2018 (arXiv 1812.04606).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.checkpoints import SCORES, Scope
from headway.heads.losses import no_label, single_label
from headway.metrics import (
    accuracy,
    auc,
    confidence_interval,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    macro_f1,
    per_label,
    reliability_bins,
)
from headway.tasks.labels.columns import label_name
from headway.tasks.labels.kinds import KINDS, Kind, weight_of
from headway.tasks.measured import Measured

__all__ = [
    "FALSE_ALARMS",
    "by_class",
    "calibrated",
    "find_scope",
    "kind_with",
    "measured_apart",
    "scored",
]

Floats = npt.NDArray[np.float64]

USUAL = ("oos", "out_of_scope", "out-of-scope", "out of scope")
"""What people call them."""

EXPOSURE = 0.5
"""How much the mean over training rows of no label counts beside that over the others."""

FALSE_ALARMS = 0.05
"""Share of texts in scope that may be taken for others, where no others are there to calibrate."""


def find_scope(asked: str | None, answers: Iterable[Any]) -> Scope | None:
    """The rule that is wanted, not calibrated yet.

    Args:
        asked: the label, where it is named; "" = none; None = one of USUAL, if a row has it.
        answers: of all rows.

    >>> find_scope(None, ["pay", "oos"]), find_scope(None, ["pay"]), find_scope("", ["oos"])
    (Scope(label='oos', threshold=None, score='probability'), None, None)
    """
    if asked is not None:
        return Scope(asked) if asked else None
    there = {answer for answer in answers if isinstance(answer, str)}
    return next((Scope(name) for name in USUAL if name in there), None)


def kind_with(scope: Scope) -> Kind:
    """The kind of one label of several, or none of them.

    Its `predict` gives [n, classes + 1]: probabilities, and the score of the rule at the end.
    """
    plain = KINDS["single-label"]

    def targets(column: Sequence[Any], names: Sequence[str]) -> Tensor:
        """int64 [n]; -1 = none."""
        found = torch.full((len(column),), -1, dtype=torch.int64)
        inside = [n for n, answer in enumerate(column) if label_name(answer) != scope.label]
        found[inside] = plain.targets([column[n] for n in inside], names)
        return found

    def predict(logits: Tensor) -> Floats:
        return scored(logits, scope.score)

    def answer(row: Floats, names: Sequence[str]) -> dict[str, Any]:
        """A text outside is as surely so as its likeliest label is unlikely."""
        best = plain.answer(row[:-1], names)
        if _is_outside(row, scope):
            return {"label": scope.label, "score": max(0.0, 1.0 - best["score"])}
        return best

    def score(table: Floats, column: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
        targets(column, names)  # labels that are not known are said
        rule = scope
        if scope.threshold is None:  # while it trains: as good as these rows could make it
            rule, _ = calibrated(scope, dict.fromkeys(SCORES, table), column, names)
        return _measures(table, [label_name(one) for one in column], names, rule)

    return Kind(_unsure_outside, _counts_apart, targets, predict, answer, score, plain.main)


def _unsure_outside(
    logits: Tensor, targets: Tensor, weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The right class of rows in scope; rows of none (-1) are to be as likely of each."""
    none = targets < 0
    inside = single_label(logits[~none], targets[~none], weights)
    return inside.sum(), EXPOSURE * no_label(logits[none]).sum()


def _counts_apart(targets: Tensor, weights: Tensor | None) -> tuple[float, ...]:
    """What the rows in scope count together, and how many there are of none."""
    none = targets < 0
    return *weight_of(targets[~none], weights), float(none.sum())


def scored(logits: Tensor, score: str) -> Floats:
    """Probabilities and, at the end, the score, float64 [n, classes + 1]; from logits."""
    chances = logits.double().softmax(dim=-1)
    if score == "energy":
        last = logits.double().logsumexp(dim=-1)
    else:
        last = chances.amax(dim=-1)
    found: Floats = torch.cat([chances, last[:, None]], dim=-1).numpy()
    return found


def by_class(table: Floats, scope: Scope, chances: Floats, order: Mapping[str, int]) -> Floats:
    """The table of a model that has the label outside as a class of its own: the likeliest wins.

    Args:
        table: probabilities of the labels in scope, [n, classes].
        scope: the label outside, and its threshold.
        chances: probabilities of all labels.
        order: name -> column there.
    """
    none = np.zeros(len(table))
    outside = chances[:, order[scope.label]] if scope.label in order else none
    score = table.max(axis=1) - outside + (scope.threshold or 0.0)
    total = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, total, out=np.full_like(table, 1 / table.shape[1]), where=total > 0)
    return np.concatenate([shares, score[:, None]], axis=1)


def calibrated(
    scope: Scope, found: dict[str, Floats], answers: Sequence[Any], names: Sequence[str]
) -> tuple[Scope, str]:
    """The rule with its score and threshold, and a line that says how they were found.

    With rows outside, the score with the larger area under the ROC curve is taken, and the
    threshold with the best mean of two shares: right answers in scope, and rows outside that are
    found. Without, the largest probability, and a threshold that FALSE_ALARMS of the rows miss.

    Args:
        scope: the label.
        found: score -> `predict`'s table of validation rows.
        answers: their labels.
        names: of the head's outputs.
    """
    truth = [label_name(answer) for answer in answers]
    outside = np.array([name == scope.label for name in truth])
    if not outside.any():
        threshold = float(np.quantile(found[SCORES[0]][:, -1], FALSE_ALARMS))
        return dataclasses.replace(scope, threshold=threshold), (
            f"no validation row is {scope.label}: texts whose largest probability is below "
            f"{threshold:.3f} are, as {FALSE_ALARMS:.0%} of the validation rows would be"
        )
    areas = {
        score: auc(found[score][:, -1], np.where(outside, 0, 1), labels=[0, 1]) for score in SCORES
    }
    best = max(SCORES, key=areas.__getitem__)
    table = found[best]
    right = np.array(names)[table[:, :-1].argmax(axis=1)] == np.array(truth)
    threshold = _threshold(table[:, -1], right, outside)
    what = "largest probability" if best == SCORES[0] else "energy"
    return Scope(scope.label, threshold, best), (
        f"texts whose {what} is below {threshold:.3f} are {scope.label}: the best mean of right "
        f"answers in scope and {scope.label} found on {int(outside.sum())} validation rows outside "
        f"and {int((~outside).sum())} inside"
    )


def _threshold(
    scores: Floats, right: npt.NDArray[np.bool_], outside: npt.NDArray[np.bool_]
) -> float:
    """Half-way between two neighbouring scores, where the mean of both shares is best."""
    order = np.argsort(scores, kind="stable")
    inside = max(1, int((~outside).sum()))
    # What is gained and lost when the threshold passes each row, from the lowest score up.
    gain = np.where(outside, 1 / outside.sum(), np.where(right & ~outside, -1 / inside, 0.0))[order]
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    edges = scores[order]
    cuts = np.concatenate([[edges[0] - 1e-6], (edges[:-1] + edges[1:]) / 2, [edges[-1] + 1e-6]])
    apart = np.concatenate([[True], edges[:-1] < edges[1:], [True]])  # equal scores fall together
    return float(cuts[int(np.where(apart, sums, -np.inf).argmax())])


def _is_outside(row: Floats, scope: Scope) -> bool:
    return scope.threshold is not None and bool(row[-1] < scope.threshold)


def measured_apart(said: Sequence[str], there: Sequence[str], scope: Scope) -> dict[str, Measured]:
    """The measures of texts in scope and of those outside, where there are such texts.

    Args:
        said, there: the answers, and the true ones.
        scope: the label of those outside.
    """
    outside = np.array([one == scope.label for one in there], dtype=bool)

    def accuracy_of(rows: npt.NDArray[np.bool_]) -> Measured:
        numbers = np.flatnonzero(rows).tolist()
        return Measured("accuracy", [said[n] for n in numbers], [there[n] for n in numbers])

    found = {}
    if not outside.all():
        found["in_scope_accuracy"] = accuracy_of(~outside)
    if outside.any():
        found["oos_recall"] = accuracy_of(outside)
        only = {"labels": [scope.label]}
        found["oos_precision"] = Measured("precision", said, there, options=only)
    return found


def _measures(
    table: Floats, truth: Sequence[str], names: Sequence[str], scope: Scope
) -> dict[str, Any]:
    chosen = [
        scope.label if _is_outside(row, scope) else names[int(row[:-1].argmax())] for row in table
    ]
    every = (*names, scope.label)
    outside = np.array([name == scope.label for name in truth], dtype=bool)
    inside = np.flatnonzero(~outside)
    chances, labels = table[inside, :-1], [truth[n] for n in inside.tolist()]
    found: dict[str, Any] = {
        "n": len(truth),
        "accuracy": accuracy(chosen, truth),
        "macro_f1": macro_f1(chosen, truth, labels=every),
        "confidence_interval_95": list(confidence_interval("accuracy", chosen, truth)),
        "per_label": per_label(chosen, truth, labels=every),
        "confusion": np.asarray(confusion_matrix(chosen, truth, labels=every)).tolist(),
        "threshold": scope.threshold,
    }
    measures = measured_apart(chosen, truth, scope)
    found |= {name: measure.value() for name, measure in measures.items()}
    if len(inside):
        found["loss"] = log_loss(chances, labels, labels=names)
        found["calibration"] = {
            "expected_calibration_error": expected_calibration_error(chances, labels, labels=names),
            "bins": reliability_bins(chances, labels, labels=names),
        }
    if outside.any() and len(inside):
        found["oos_auroc"] = auc(-table[:, -1], outside.astype(int), labels=[0, 1])
    return found
