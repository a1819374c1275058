"""Losses: plain functions of logits and targets. All return the mean over what is counted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.layout import Layout

__all__ = [
    "answer_spans",
    "choices",
    "cosine_regression",
    "in_batch_negatives",
    "multi_label",
    "regression",
    "single_label",
    "single_label_or_none",
]


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


def single_label_or_none(
    logits: Tensor, targets: Tensor, weights: Tensor | None = None, *, exposure: float = 0.5
) -> Tensor:
    """Cross-entropy of the right class; rows of none are to be as likely of each.

    Args:
        logits: float [n, classes].
        targets: int64 [n]; -1 = the row belongs to none.
        weights: float [classes], how much a row of each class counts, or None.
        exposure: how much the mean over rows of none counts beside that over the others.

    >>> import torch
    >>> torch.equal(single_label_or_none(torch.eye(3), torch.tensor([0, 1, 2])),
    ...             single_label(torch.eye(3), torch.tensor([0, 1, 2])))
    True
    >>> single_label_or_none(torch.zeros(1, 4), torch.tensor([-1]))  # half of log 4, the least
    tensor(0.6931)

    Source: outlier exposure, Hendrycks et al. 2018, arXiv 1812.04606, section 3.
    """
    none = targets < 0
    if not none.any():
        return single_label(logits, targets, weights)
    unsure = -exposure * F.log_softmax(logits[none].float(), dim=-1).mean()
    if none.all():
        return unsure
    return unsure + single_label(logits[~none], targets[~none], weights)


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


def answer_spans(logits: Tensor, possible: Tensor, layout: Layout, targets: Tensor) -> Tensor:
    """Cross-entropy of the right start and the right end, among the places that can be one.

    Args:
        logits: of start and end, float [tokens, 2].
        possible: whether a token can be either, bool [tokens].
        layout: which tokens belong to which window.
        targets: place of the right start and the right end in each window, int64 [windows, 2].

    >>> possible = torch.tensor([True, False, True, True, True])  # 4 places of 5
    >>> answer_spans(torch.zeros(5, 2), possible, Layout((5,)), torch.tensor([[0, 0]]))  # log 4
    tensor(1.3863)

    Source: Devlin et al. 2018, arXiv 1810.04805, section 4.2; the question is left out here.
    """
    return F.cross_entropy(_padded(logits, possible, layout), targets)


def choices(logits: Tensor, layout: Layout, targets: Tensor) -> Tensor:
    """Cross-entropy of the right choice among those of each row, however many it has.

    Args:
        logits: float [choices].
        layout: which choices belong to which row.
        targets: number of the right one in each row, int64 [rows].

    >>> choices(torch.zeros(6), Layout((4, 2)), torch.tensor([3, 0]))  # (log 4 + log 2) / 2
    tensor(1.0397)
    """
    every = torch.ones_like(logits, dtype=torch.bool)
    return F.cross_entropy(_padded(logits, every, layout), targets)


def cosine_regression(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Squared error of the cosine of two vectors.

    Args:
        first, second: float [pairs, hidden].
        targets: how alike the two are, float [pairs], in the unit of cosines.

    >>> same, across = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> cosine_regression(same, same, torch.ones(1)), cosine_regression(same, across, torch.ones(1))
    (tensor(0.), tensor(1.))

    Source: Reimers & Gurevych 2019, arXiv 1908.10084, section 3.
    """
    return F.mse_loss(F.cosine_similarity(first, second, dim=-1), targets.to(first.dtype))


def in_batch_negatives(
    first: Tensor, second: Tensor, *, temperature: float = 0.05, alike: Tensor | None = None
) -> Tensor:
    """Cross-entropy of finding each first text's partner among the second texts of the batch.

    Known as multiple negatives ranking, or InfoNCE: every other row's text is a wrong answer.

    Args:
        first, second: float [pairs, hidden]; row n of one belongs to row n of the other.
        temperature: what cosines are divided by; the lower, the more the hardest ones count.
        alike: bool [pairs, pairs], which second texts are no wrong answers to which first ones and
            do not take part; None = all others are wrong.

    >>> vectors = torch.eye(4)
    >>> in_batch_negatives(vectors, vectors[:1].expand(4, 4))  # log 4: all are alike
    tensor(1.3863)
    >>> in_batch_negatives(vectors, vectors) < 1e-6
    tensor(True)

    Source: Henderson et al. 2017, arXiv 1705.00652, section 4.4; as cosines with a temperature,
    van den Oord et al. 2018, arXiv 1807.03748.
    """
    scores = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature
    own = torch.arange(len(scores), device=scores.device)
    if alike is not None:
        kept = torch.diag(torch.ones_like(own, dtype=torch.bool))
        scores = scores.masked_fill(alike & ~kept, -torch.inf)
    return F.cross_entropy(scores, own)


def _padded(logits: Tensor, possible: Tensor, layout: Layout) -> Tensor:
    """[places, ...] as [sequences, longest, ...]: what is not possible, or not there, is -inf."""
    padded, there = layout.pad(logits.float()), layout.pad(possible)
    return padded.masked_fill(~there.view(*there.shape, *[1] * (padded.dim() - 2)), -torch.inf)
