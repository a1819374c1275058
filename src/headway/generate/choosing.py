"""How the next token is chosen: the likeliest one, or one that is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from headway.generate.filters import Filter
from headway.generate.text import Text

__all__ = ["Choose", "distribution", "drawn", "greedy", "pick"]

Choose = Callable[[Tensor, Sequence[Text]], Tensor]
"""Logits [n, vocabulary] and their texts -> the next token of each, int64 [n]."""


def greedy(logits: Tensor, texts: Sequence[Text] = ()) -> Tensor:
    """The likeliest token, the first of equals.

    >>> greedy(torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 0.0]]))
    tensor([1, 0])
    """
    return logits.argmax(dim=-1)


def drawn(filters: Sequence[Filter]) -> Choose:
    """A token at random, by the logits that filters leave and each text's own random numbers."""

    def choose(logits: Tensor, texts: Sequence[Text]) -> Tensor:
        return pick(distribution(logits, filters), [text.draw.random() for text in texts])

    return choose


def distribution(logits: Tensor, filters: Sequence[Filter]) -> Tensor:
    """What tokens are drawn by: probabilities, float64 [n, vocabulary]."""
    for each in filters:
        logits = each(logits)
    return logits.double().softmax(-1)


def pick(weights: Tensor, numbers: Sequence[float]) -> Tensor:
    """The place that each random number in [0, 1) falls on: weights [n, vocabulary] -> int64 [n].

    A place of weight 0 is never picked.

    >>> pick(torch.tensor([[1.0, 0.0, 3.0], [1.0, 0.0, 3.0]]), [0.24, 0.25])
    tensor([0, 2])
    """
    summed = weights.double().cumsum(-1)
    at = torch.tensor(numbers, dtype=torch.float64, device=weights.device)[:, None]
    found = torch.searchsorted(summed, at * summed[:, -1:], right=True)[:, 0]
    last = torch.where(weights > 0, torch.arange(weights.shape[1], device=weights.device), 0)
    return torch.minimum(found, last.amax(-1))  # rounding may lead behind the last weight
