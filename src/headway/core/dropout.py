"""Dropout that costs what its memory traffic costs.

torch draws one 53-bit uniform number per element from a sequential generator; on a processor that
takes several times as long as the layer it follows. Eight random bits decide here: a 64-bit draw
serves eight elements, and the keep rate is a multiple of 1/256, with the scale matched to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Dropout", "dropout"]


def dropout(x: Tensor, rate: float) -> Tensor:
    """Sets about `rate` of the elements to zero and scales the rest so that the mean stays.

    Args:
        x: any float tensor.
        rate: share to drop, 0 to 1; rounded to a multiple of 1/256 on processors.

    >>> dropout(torch.ones(4), 1.0)
    tensor([0., 0., 0., 0.])

    Source: Srivastava et al. 2014.
    """
    if rate == 0.0 or x.numel() == 0:
        return x
    if x.is_cuda:
        return torch.nn.functional.dropout(x, rate)
    return _byte_dropout(x, round(rate * 256))


class Dropout(nn.Module):
    """`dropout` while training, nothing otherwise."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """x, any shape, with elements dropped while training."""
        return dropout(x, self.rate) if self.training else x

    def extra_repr(self) -> str:
        """Shows the rate in print(model)."""
        return f"{self.rate}"


class _ByteDropout(torch.autograd.Function):
    """Keeps one byte per element for the backward pass, as torch's own does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int) -> Tensor:
        draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = (draws.view(torch.uint8)[: x.numel()] >= dropped).view(x.shape)
        ctx.scale = 256 / (256 - dropped) if dropped < 256 else 0.0
        ctx.save_for_backward(kept)
        return _where(kept, x, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return _where(kept, gradient, ctx.scale), None


def _where(kept: Tensor, x: Tensor, scale: float) -> Tensor:
    """x * kept * scale, without torch's slow product of a number and a truth value."""
    return torch.where(kept, x, 0.0).mul_(scale)


_byte_dropout: Callable[[Tensor, int], Tensor] = _ByteDropout.apply
