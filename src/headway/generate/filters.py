"""Filters of a distribution that tokens are drawn from: each takes logits [n, vocabulary], and
gives them with -inf where nothing is drawn; at least one token is left.

Sources: top-k, Fan et al. 2018 (arXiv 1805.04833); top-p, Holtzman et al. 2019 (arXiv 1904.09751);
min-p, Nguyen et al. 2024 (arXiv 2407.01082); typical, Meister et al. 2022 (arXiv 2202.00666);
epsilon and eta, Hewitt et al. 2022 (arXiv 2210.15191).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["Filter", "epsilon", "eta", "min_p", "temperature", "top_k", "top_p", "typical_p"]

Filter = Callable[[Tensor], Tensor]


def temperature(value: float) -> Filter:
    """Logits divided by `value`."""
    return lambda logits: logits / value


def top_k(count: int) -> Filter:
    """The `count` likeliest; those that tie with the last one too.

    >>> top_k(2)(torch.tensor([[1.0, 3.0, 2.0]]))
    tensor([[-inf, 3., 2.]])
    """

    def keep(logits: Tensor) -> Tensor:
        least = logits.topk(min(count, logits.shape[-1])).values[:, -1:]
        return logits.masked_fill(logits < least, -torch.inf)

    return keep


def top_p(mass: float) -> Filter:
    """The likeliest that together have probability `mass`.

    >>> top_p(0.7)(torch.tensor([[0.5, 0.3, 0.2]]).log()).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    """

    def keep(logits: Tensor) -> Tensor:
        ordered, order = logits.sort()
        out = ordered.softmax(-1).cumsum(-1) <= 1 - mass
        out[:, -1] = False
        return logits.masked_fill(out.scatter(1, order, out), -torch.inf)

    return keep


def min_p(share: float) -> Filter:
    """Those at least `share` times as likely as the likeliest.

    >>> min_p(0.5)(torch.tensor([[0.5, 0.3, 0.2]]).log()).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    """

    def keep(logits: Tensor) -> Tensor:
        probabilities = logits.softmax(-1)
        least = share * probabilities.amax(-1, keepdim=True)
        return logits.masked_fill(probabilities < least, -torch.inf)

    return keep


def typical_p(mass: float) -> Filter:
    """Those whose surprise is nearest to the expected one, of probability `mass` together.

    >>> typical_p(0.3)(torch.tensor([[0.5, 0.3, 0.2]]).log()).exp()
    tensor([[0.0000, 0.3000, 0.0000]])
    """

    def keep(logits: Tensor) -> Tensor:
        logs = logits.log_softmax(-1)
        expected = -(logs * logs.exp()).nansum(-1, keepdim=True)
        away, order = (-logs - expected).abs().sort()
        summed = logits.gather(-1, order).softmax(-1).cumsum(-1)
        last = (summed < mass).sum(-1, keepdim=True).clamp(max=logits.shape[-1] - 1)
        out = away > away.gather(-1, last)
        return logits.masked_fill(out.scatter(1, order, out), -torch.inf)

    return keep


def epsilon(least: float) -> Filter:
    """Those of probability `least` and more.

    >>> epsilon(0.25)(torch.tensor([[0.5, 0.3, 0.2]]).log()).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    """
    return lambda logits: _at_least(logits, torch.tensor(least, device=logits.device))


def eta(least: float) -> Filter:
    """As `epsilon`, with a bound that falls with the distribution's entropy.

    >>> eta(0.4)(torch.tensor([[0.5, 0.3, 0.2]]).log()).exp()
    tensor([[0.5000, 0.3000, 0.0000]])
    """

    def keep(logits: Tensor) -> Tensor:
        logs = logits.log_softmax(-1)
        entropy = -(logs * logs.exp()).nansum(-1, keepdim=True)
        bound = torch.tensor(least, device=logits.device)
        return _at_least(logits, torch.minimum(bound, bound.sqrt() * (-entropy).exp()))

    return keep


def _at_least(logits: Tensor, bound: Tensor) -> Tensor:
    out = (logits.softmax(-1) < bound) & (logits < logits.amax(-1, keepdim=True))
    return logits.masked_fill(out, -torch.inf)
