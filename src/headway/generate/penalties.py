"""Rules that make tokens less likely the more they were written.

Sources: repetition, Keskar et al. 2019 (arXiv 1909.05858); presence and frequency as in OpenAI's
interface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from headway.generate.text import Text

__all__ = ["Rule", "presence_and_frequency", "repetition"]

Rule = Callable[[Tensor, Sequence[Text]], Tensor]
"""Logits [texts, vocabulary] and the texts they are for -> logits; -inf = never."""


def repetition(penalty: float) -> Rule:
    """Logits of tokens in prompt and text are divided by `penalty`, or multiplied if negative.

    >>> rule = repetition(2.0)
    >>> rule(torch.tensor([[1.0, -1.0, 3.0]]), [Text(prompt=[0, 0, 1])])
    tensor([[ 0.5000, -2.0000,  3.0000]])
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        seen = torch.zeros_like(logits, dtype=torch.bool)
        for row, text in zip(seen, texts, strict=True):
            row[_known(text.all_ids, logits.shape[1])] = True
        less = torch.where(logits < 0, logits * penalty, logits / penalty)
        return torch.where(seen, less, logits)

    return rule


def presence_and_frequency(presence: float, frequency: float) -> Rule:
    """Takes `presence` off the logits of tokens that were written, and `frequency` each time.

    What the prompt holds does not count.

    >>> rule = presence_and_frequency(1.0, 0.5)
    >>> rule(torch.zeros(1, 3), [Text(prompt=[0], ids=[2, 2])])
    tensor([[ 0.,  0., -2.]])
    """

    def rule(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        size = logits.shape[1]
        counts = torch.stack(
            [torch.bincount(_known(text.ids, size), minlength=size) for text in texts]
        ).to(logits)
        return logits - frequency * counts - presence * (counts > 0).to(logits.dtype)

    return rule


def _known(ids: Sequence[int], rows: int) -> Tensor:
    """The ids that logits have a place for: a word table may have more rows than a head."""
    return torch.tensor([id for id in ids if id < rows], dtype=torch.int64)
