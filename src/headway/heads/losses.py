"""Losses: plain functions of logits and targets. All return the mean over what is counted."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["multi_label", "regression", "single_label"]


def single_label(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of the right class.

    Args:
        logits: float [n, classes].
        targets: int64 [n].
        weights: float [classes], how much a row of each class counts, or None.

    >>> import torch
    >>> single_label(torch.zeros(2, 4), torch.tensor([0, 3]))  # log 4: nothing is known
    tensor(1.3863)
    """
    return F.cross_entropy(logits.float(), targets, weight=weights)


def multi_label(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of every label on its own.

    Args:
        logits: float [n, labels].
        targets: 0 or 1, [n, labels].
        weights: float [labels], how much a positive of each label counts, or None.

    >>> import torch
    >>> multi_label(torch.zeros(1, 3), torch.tensor([[1, 0, 1]]))  # log 2
    tensor(0.6931)
    """
    return F.binary_cross_entropy_with_logits(logits.float(), targets.float(), pos_weight=weights)


def regression(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Squared error of one number.

    Args:
        logits: float [n, 1].
        targets: float [n].
        weights: not used; the signature is that of its siblings.

    >>> import torch
    >>> regression(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 1.0]))
    tensor(2.)
    """
    return F.mse_loss(logits.float().squeeze(-1), targets.float())
