"""Position-wise feed-forward layers, plain and gated, and their activations.

Sources: GELU, Hendrycks & Gimpel 2016 (arXiv 1606.08415); gated, Shazeer 2020 (arXiv 2002.05202).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.fields import Choice
from headway.core.linear import FusedLinear

__all__ = ["ACTIVATIONS", "ActivationName", "FeedForward", "GatedFeedForward", "activation"]


def _quick_gelu(x: Tensor) -> Tensor:
    """The sigmoid form of GELU, which CLIP was trained with."""
    return x * (1.702 * x).sigmoid()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "quick_gelu": _quick_gelu,
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": F.tanh,
}
"""Name in config.json -> function."""

ActivationName = Annotated[str, Choice(tuple(ACTIVATIONS))]
"""The type of a config's field that names one."""


class _Activation(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.name](x)

    def extra_repr(self) -> str:
        return self.name


def activation(name: str) -> nn.Module:
    """The activation of that name in ACTIVATIONS, as a module."""
    return _Activation(name)


class FeedForward(nn.Module):
    """Widen, bend, narrow.

    Args:
        hidden: size of a hidden state.
        inner: size between the two linear layers.
        activation: between them.
        bias: whether the linear layers have one.
        dropout: rate behind the activation (T5 only).
    """

    def __init__(
        self,
        hidden: int,
        inner: int,
        activation: nn.Module,
        *,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.up = nn.Linear(hidden, inner, bias=bias)
        self.activation = activation
        self.dropout = Dropout(dropout)
        self.down = nn.Linear(inner, hidden, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        return self.down(self.dropout(self.activation(self.up(x))))


class GatedFeedForward(nn.Module):
    """As FeedForward, with a second widening that the bent one gates.

    Args: as FeedForward.
    """

    def __init__(
        self,
        hidden: int,
        inner: int,
        activation: nn.Module,
        *,
        bias: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.gate_value = FusedLinear(hidden, (inner, inner), bias=bias)
        self.activation = activation
        self.dropout = Dropout(dropout)
        self.down = nn.Linear(inner, hidden, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        gate, value = self.gate_value.separate(x)  # [tokens, inner] each
        return self.down(self.dropout(self.activation(gate) * value))
