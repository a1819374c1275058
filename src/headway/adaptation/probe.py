"""A head that starts from a linear probe: logistic regression on what the body says already.

With few labels this is worth more than any schedule: the head does not have to be found by the same
few steps that move the body.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from headway.heads import Classifier
from headway.model import Model
from headway.training.precision import precision_context
from headway.windows import Windowed

__all__ = ["probe_head"]

STRENGTH = 10.0  # inverse of the L2 penalty, on features of mean length 1


def probe_head(
    model: Model,
    texts: Sequence[Windowed],
    targets: Tensor,
    *,
    kind: str,
    precision: str,
    batch_tokens: int,
) -> None:
    """Sets the weights of a linear head to those of a probe fitted on the training texts.

    Args:
        model: with a Classifier whose `output` is linear.
        texts: the training texts.
        targets: as the kind's `targets` makes them.
        kind: single-label, multi-label or regression.
        precision: fp32 or bf16.
        batch_tokens: most tokens in one forward pass.
    """
    head = model.head
    assert isinstance(head, Classifier)
    with precision_context(precision, model.device):
        vectors = model.read_windows(texts, head.pooled, batch_tokens=batch_tokens, what="Probing")
    features = vectors.numpy()
    size = float(np.linalg.norm(features, axis=1).mean()) or 1.0
    weight, bias = _fit(features / size, targets.numpy(), kind, classes=head.output.out_features)
    with torch.no_grad():
        head.output.weight.copy_(torch.from_numpy(weight / size))
        head.output.bias.copy_(torch.from_numpy(bias))


def _fit(
    features: np.ndarray, targets: np.ndarray, kind: str, *, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weight [classes, hidden] and bias [classes] of a linear model on the features."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if kind == "regression":
        ridge = Ridge(alpha=1 / STRENGTH).fit(features, targets)
        return ridge.coef_.reshape(1, -1), np.atleast_1d(ridge.intercept_)
    if kind == "single-label":
        found = LogisticRegression(C=STRENGTH, max_iter=2000).fit(features, targets)
        if classes > 2:
            return found.coef_, found.intercept_
        # Two classes have one row in a probe, and two in a softmax.
        halves = np.array([[-0.5], [0.5]])
        return halves * found.coef_, halves[:, 0] * found.intercept_
    weight, bias = np.zeros((classes, features.shape[1])), np.zeros(classes)
    for label, column in enumerate(targets.T):
        if 0 < column.sum() < len(column):
            one = LogisticRegression(C=STRENGTH, max_iter=2000).fit(features, column)
            weight[label], bias[label] = one.coef_[0], one.intercept_[0]
    return weight, bias
