"""Losses: plain functions of logits and targets, one number for each thing that is counted.

What is counted is a row, a token, a window, a pair. A loss that is trained on is the mean over all
of a step, which only the step knows.
"""

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
    "label_cosines",
    "multi_label",
    "no_label",
    "regression",
    "single_label",
]


def single_label(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy of the right class.

    Args:
        logits: float [n, classes].
        targets: int64 [n].
        weights: float [classes], how much a row of each class counts, or None.

    Returns:
        float32 [n]; the mean is over the rows' weights where there are such.

    >>> import torch
    >>> single_label(torch.zeros(2, 4), torch.tensor([0, 3]))  # log 4: nothing is known
    tensor([1.3863, 1.3863])
    """
    return F.cross_entropy(logits.float(), targets, weight=weights, reduction="none")


def no_label(logits: Tensor) -> Tensor:
    """How far rows that belong to no class are from being as likely of each.

    Args:
        logits: float [n, classes].

    Returns:
        float32 [n].

    >>> import torch
    >>> no_label(torch.zeros(1, 4))  # log 4, the least
    tensor([1.3863])

    Source: outlier exposure, Hendrycks et al. 2018, arXiv 1812.04606, section 3.
    """
    return -F.log_softmax(logits.float(), dim=-1).mean(dim=-1)


def multi_label(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of every label on its own.

    Args:
        logits: float [n, labels].
        targets: 0 or 1, [n, labels].
        weights: float [labels], how much a positive of each label counts, or None.

    Returns:
        float32 [n], the mean over the labels.

    >>> import torch
    >>> multi_label(torch.zeros(1, 3), torch.tensor([[1, 0, 1]]))  # log 2
    tensor([0.6931])
    """
    every = F.binary_cross_entropy_with_logits(
        logits.float(), targets.float(), pos_weight=weights, reduction="none"
    )
    return every.mean(dim=-1)


def regression(logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Squared error of one number.

    Args:
        logits: float [n, 1].
        targets: float [n].
        weights: not used; the signature is that of its siblings.

    Returns:
        float32 [n].

    >>> import torch
    >>> regression(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 1.0]))
    tensor([0., 4.])
    """
    return (logits.float().squeeze(-1) - targets.float()).square()


def answer_spans(logits: Tensor, possible: Tensor, layout: Layout, targets: Tensor) -> Tensor:
    """Cross-entropy of the right start and the right end, among the places that can be one.

    Args:
        logits: of start and end, float [tokens, 2].
        possible: whether a token can be either, bool [tokens].
        layout: which tokens belong to which window.
        targets: place of the right start and the right end in each window, int64 [windows, 2].

    Returns:
        float32 [windows], the mean of both.

    >>> possible = torch.tensor([True, False, True, True, True])  # 4 places of 5
    >>> answer_spans(torch.zeros(5, 2), possible, Layout((5,)), torch.tensor([[0, 0]]))  # log 4
    tensor([1.3863])

    Source: Devlin et al. 2018, arXiv 1810.04805, section 4.2; the question is left out here.
    """
    padded = _padded(logits, possible, layout)  # [windows, longest, 2]
    return F.cross_entropy(padded, targets, reduction="none").mean(dim=1)


def choices(logits: Tensor, layout: Layout, targets: Tensor) -> Tensor:
    """Cross-entropy of the right choice among those of each row, however many it has.

    Args:
        logits: float [choices].
        layout: which choices belong to which row.
        targets: number of the right one in each row, int64 [rows].

    Returns:
        float32 [rows].

    >>> choices(torch.zeros(6), Layout((4, 2)), torch.tensor([3, 0]))  # log 4 and log 2
    tensor([1.3863, 0.6931])
    """
    every = torch.ones_like(logits, dtype=torch.bool)
    return F.cross_entropy(_padded(logits, every, layout), targets, reduction="none")


def cosine_regression(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Squared error of the cosine of two vectors.

    Args:
        first, second: float [pairs, hidden].
        targets: how alike the two are, float [pairs], in the unit of cosines.

    Returns:
        float [pairs].

    >>> same, across = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> cosine_regression(same, same, torch.ones(1)), cosine_regression(same, across, torch.ones(1))
    (tensor([0.]), tensor([1.]))

    Source: Reimers & Gurevych 2019, arXiv 1908.10084, section 3.
    """
    return (F.cosine_similarity(first, second, dim=-1) - targets.to(first.dtype)).square()


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

    Returns:
        float [pairs].

    >>> vectors = torch.eye(4)
    >>> in_batch_negatives(vectors, vectors[:1].expand(4, 4))  # log 4: all are alike
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    >>> in_batch_negatives(vectors, vectors).max() < 1e-6
    tensor(True)

    Source: Henderson et al. 2017, arXiv 1705.00652, section 4.4; as cosines with a temperature,
    van den Oord et al. 2018, arXiv 1807.03748.
    """
    scores = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature
    own = torch.arange(len(scores), device=scores.device)
    if alike is not None:
        kept = torch.diag(torch.ones_like(own, dtype=torch.bool))
        scores = scores.masked_fill(alike & ~kept, -torch.inf)
    return F.cross_entropy(scores, own, reduction="none")


def label_cosines(vectors: Tensor, labels: Tensor) -> Tensor:
    """How far each text's cosines are from 1 to texts of its label, and from 0 to all others.

    Squared errors; the texts of its own label weigh as much as all others together. A text that is
    the only one of its label, or of which there are no others, lacks that half.

    Args:
        vectors: float [texts, hidden].
        labels: int64 [texts].

    Returns:
        float32 [texts].

    >>> label_cosines(torch.eye(1).expand(4, 1), torch.tensor([0, 0, 1, 2]))  # others are alike too
    tensor([1., 1., 1., 1.])
    >>> label_cosines(torch.eye(3), torch.tensor([0, 0, 1]))  # its own are not
    tensor([1., 1., 0.])

    Source: the pairs of Tunstall et al. 2022, arXiv 2209.11055, section 3, all of a step at once.
    """
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    same, vectors = labels[:, None] == labels, vectors.float()
    errors = cosine_regression(vectors[:, None], vectors[None], same)
    alike, unlike = (
        (errors * kind).sum(dim=-1) / kind.sum(dim=-1).clamp(min=1) for kind in (same & ~own, ~same)
    )
    return alike + unlike


def _padded(logits: Tensor, possible: Tensor, layout: Layout) -> Tensor:
    """[places, ...] as [sequences, longest, ...]: what is not possible, or not there, is -inf."""
    padded, there = layout.pad(logits.float()), layout.pad(possible)
    return padded.masked_fill(~there.view(*there.shape, *[1] * (padded.dim() - 2)), -torch.inf)
