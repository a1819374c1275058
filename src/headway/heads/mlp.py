"""A hidden layer between states and the last linear layer."""

from __future__ import annotations

from torch import nn

from headway.core.feedforward import activation

__all__ = ["mlp"]


def mlp(hidden: int) -> nn.Sequential:
    """A linear layer and GELU, as the `transform` of a head: [..., hidden] -> [..., hidden].

    The head's own dropout stands behind it, before the output.

    >>> sum(p.numel() for p in mlp(768).parameters())
    590592

    Source of GELU: Hendrycks & Gimpel 2016, arXiv 1606.08415.
    """
    return nn.Sequential(nn.Linear(hidden, hidden), activation("gelu"))
