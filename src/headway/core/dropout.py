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
    dropped = round(rate * 256)
    if dropped == 0 or x.numel() == 0:
        return x
    if x.is_cuda:
        return torch.nn.functional.dropout(x, rate)
    return torch.zeros_like(x) if dropped == 256 else _byte_dropout(x, dropped)


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
    """Keeps one byte per element for the backward pass, as torch's own does.

    `clamp` and `addcmul` stand where a comparison and a product would be plainer: torch runs those
    two over truth values one element at a time.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int) -> Tensor:
        draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        bytes_ = draws.view(torch.int8)[: x.numel()].view(x.shape)  # -128 to 127, all as likely
        first_kept = dropped - 128
        kept = bytes_.clamp(first_kept - 1, first_kept).sub_(first_kept - 1)  # 0 or 1
        ctx.scale = 256 / (256 - dropped)
        ctx.save_for_backward(kept)
        return _masked(x, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return _masked(gradient, kept, ctx.scale), None


def _masked(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    """x * kept * scale in one pass."""
    return torch.addcmul(x.new_zeros(()), x, kept.to(x.dtype), value=scale)


_byte_dropout: Callable[[Tensor, int], Tensor] = _ByteDropout.apply
