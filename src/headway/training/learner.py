"""A model and what is asked of it, as one module: the part that a step runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from headway.model import Model
from headway.training.collate import Ready

__all__ = ["Learner"]


class Learner(nn.Module):
    """Makes of a part of a step what its loss needs.

    Args:
        model: what is trained.
        asked: (model, part) -> tensors: the sum of each term of the loss, or vectors.
        beside: what learns with it, or None.
    Attributes:
        gradient_scale: how many times as large all gradients are made.
    """

    def __init__(
        self,
        model: Model,
        asked: Callable[[Model, Ready], tuple[Tensor, ...]],
        beside: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.model, self.beside = model, beside
        self.asked = asked
        self.gradient_scale = 1.0

    def forward(self, part: Ready) -> tuple[Tensor, ...]:
        """A part of a step -> tensors."""
        found = self.asked(self.model, part)
        if self.gradient_scale == 1.0:
            return found
        return tuple(_louder(one, self.gradient_scale) for one in found)


class _Louder(torch.autograd.Function):
    """A tensor as it is, whose gradient is a multiple."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return tensor.clone()  # not a view, on which FSDP's hooks could be lost

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.factor, None


_louder: Callable[[Tensor, float], Tensor] = _Louder.apply
