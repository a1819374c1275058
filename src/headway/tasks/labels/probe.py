"""A head that starts from a linear probe: logistic regression on what the body says already.

With few labels this is worth more than any schedule: the head does not have to be found by the same
few steps that move the body.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headway.heads import Classifier
from headway.model import Model
from headway.reading import read_windows
from headway.training.precision import precision_context
from headway.windows import Windowed

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

__all__ = ["probe_head"]

Floats = npt.NDArray[np.floating]
Linear = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Weight [outputs, hidden] and bias [outputs]."""

STRENGTH = 10.0  # inverse of the L2 penalty, on features of mean length 1


def probe_head(
    model: Model,
    texts: Sequence[Windowed],
    targets: Tensor,
    *,
    kind: str,
    precision: str,
    batch_tokens: int,
    seed: int,
) -> float | None:
    """Sets the weights of a linear head to those of a probe fitted on the training texts.

    Args:
        model: with a Classifier whose `output` is linear.
        texts: the training texts.
        targets: as the kind's `targets` makes them.
        kind: single-label, multi-label or regression.
        precision: fp32, bf16 or fp16.
        batch_tokens: most tokens in one forward pass.
        seed: of the folds.

    Returns:
        The share of rows that such a probe gets right when fitted on the others, five-fold; None
        where that means nothing: numbers, sets of labels, a class with one row.
    """
    head = model.head
    assert isinstance(head, Classifier)
    with precision_context(precision, model.device):
        vectors = read_windows(model, texts, head.pooled, batch_tokens=batch_tokens, what="Probing")
    features, wanted = vectors.numpy(), targets.cpu().numpy()
    if kind == "single-label":  # a row of no class tells a probe nothing
        features, wanted = features[wanted >= 0], wanted[wanted >= 0]
    size = float(np.linalg.norm(features, axis=1).mean()) or 1.0
    biased = head.output.bias is not None
    weight, bias = PROBES[kind](features / size, wanted, head.output.out_features, biased)
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(weight / size))
        if biased:
            head.output.bias.copy_(torch.from_numpy(bias))
    return _share_right(features / size, wanted, seed) if kind == "single-label" else None


def _share_right(features: Floats, targets: Floats, seed: int) -> float | None:
    from sklearn.model_selection import StratifiedKFold

    folds = min(5, int(np.bincount(targets)[np.unique(targets)].min()))
    if folds < 2:
        return None
    right = 0
    for fitted_on, asked in StratifiedKFold(folds, shuffle=True, random_state=seed).split(
        features, targets
    ):
        probe = _logistic(features[fitted_on], targets[fitted_on], True)
        right += int((probe.predict(features[asked]) == targets[asked]).sum())
    return right / len(targets)


def _number(features: Floats, targets: Floats, outputs: int, biased: bool) -> Linear:
    """Ridge regression."""
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=1 / STRENGTH, fit_intercept=biased).fit(features, targets)
    return ridge.coef_.reshape(1, -1), np.atleast_1d(ridge.intercept_)


def _one_of(features: Floats, targets: Floats, outputs: int, biased: bool) -> Linear:
    """Logistic regression over all classes; one without rows starts out unlikely."""
    fitted = _logistic(features, targets, biased)
    found, intercept = fitted.coef_, np.zeros(len(fitted.coef_)) + fitted.intercept_
    if len(fitted.classes_) == 2:
        # Two classes have one row in a probe, and two in a softmax.
        halves = np.array([-0.5, 0.5])
        found, intercept = halves[:, None] * found, halves * intercept
    weight, bias = np.zeros((outputs, features.shape[1])), np.full(outputs, intercept.min() - 5.0)
    weight[fitted.classes_], bias[fitted.classes_] = found, intercept
    return weight, bias


def _any_of(features: Floats, targets: Floats, outputs: int, biased: bool) -> Linear:
    """Logistic regression for every label; one that no row or every row has gets a bias alone."""
    weight, bias = np.zeros((outputs, features.shape[1])), np.zeros(outputs)
    for label, column in enumerate(targets.T):
        if 0 < column.sum() < len(column):
            fitted = _logistic(features, column, biased)
            weight[label], bias[label] = fitted.coef_[0], np.atleast_1d(fitted.intercept_)[0]
        else:
            bias[label] = 5.0 if column.all() else -5.0
    return weight, bias


def _logistic(features: Floats, targets: Floats, biased: bool) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=2000, fit_intercept=biased)
    with warnings.catch_warnings():
        # One or two rows a label are a case this is made for, not a mistaken regression.
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        return model.fit(features, targets)


PROBES: dict[str, Callable[[Floats, Floats, int, bool], Linear]] = {
    "single-label": _one_of,
    "multi-label": _any_of,
    "regression": _number,
}
"""Kind -> (features, targets, outputs, whether there is a bias) -> weight and bias."""
