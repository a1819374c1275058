"""Dropout that costs what its memory traffic costs.

torch draws one 53-bit uniform number per element from a sequential generator; on a processor that
takes several times as long as the layer it follows. Eight random bits decide here: a 64-bit draw
serves eight elements, and the keep rate is a multiple of 1/256, with the scale matched to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Dropout", "at_rate", "dropout", "dropped_of", "drops", "kept_bytes", "scale_of"]


def dropout(x: Tensor, rate: float) -> Tensor:
    """Sets about `rate` of the elements to zero and scales the rest so that the mean stays.

    Args:
        x: any float tensor.
        rate: share to drop, 0 to 1; rounded to a multiple of 1/256 on processors.

    >>> dropout(torch.ones(4), 1.0)
    tensor([0., 0., 0., 0.])

    Source: Srivastava et al. 2014.
    """
    dropped = dropped_of(rate)
    if dropped == 0 or x.numel() == 0:
        return x
    if x.is_cuda:
        return torch.nn.functional.dropout(x, rate)
    return torch.zeros_like(x) if dropped == 256 else _byte_dropout(x, dropped)


def dropped_of(rate: float) -> int:
    """How many of 256 numbers a rate drops."""
    return round(rate * 256)


def kept_bytes(shape: Sequence[int], dropped: int) -> Tensor:
    """1 for each number that stays, 0 for one that is dropped, int8, on a processor.

    `clamp` stands where a comparison would be plainer: torch makes truth values one at a time.

    Args:
        shape: of the numbers.
        dropped: how many of 256 are dropped, 1 to 255.
    """
    count = math.prod(shape)
    draws = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    bytes_ = draws.view(torch.int8)[:count].view(shape)  # -128 to 127, all as likely
    first_kept = dropped - 128
    return bytes_.clamp_(first_kept - 1, first_kept).sub_(first_kept - 1)


def scale_of(dropped: int) -> float:
    """By which the rest is multiplied so that the mean stays."""
    return 256 / (256 - dropped)


class Dropout(nn.Module):
    """`dropout` while training, nothing otherwise."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """x, any shape, with elements dropped while training."""
        return dropout(x, self.now)

    @property
    def now(self) -> float:
        """The rate while training, else 0."""
        return self.rate if self.training else 0.0

    def extra_repr(self) -> str:
        """Shows the rate in print(model)."""
        return f"{self.rate}"


def drops(module: nn.Module) -> bool:
    """Whether any part of a module drops something while training."""
    return bool(_dropping(module))


def _dropping(module: nn.Module) -> list[Dropout]:
    return [part for part in module.modules() if isinstance(part, Dropout) and part.rate > 0]


@contextmanager
def at_rate(module: nn.Module, rate: float | None) -> Iterator[None]:
    """While open, all dropout that a module has is at this rate, that of attention maps too; None =
    as it is.

    >>> layer = Dropout(0.1)
    >>> with at_rate(layer, 0.0):
    ...     layer(torch.ones(3))
    tensor([1., 1., 1.])
    """
    usual = {part: part.rate for part in _dropping(module)}
    for part in usual:
        part.rate = part.rate if rate is None else rate
    try:
        yield
    finally:
        for part, before in usual.items():
            part.rate = before


class _ByteDropout(torch.autograd.Function):
    """Keeps one byte per element for the backward pass, as torch's own does."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int) -> Tensor:
        kept = kept_bytes(x.shape, dropped)
        ctx.scale = scale_of(dropped)
        ctx.save_for_backward(kept)
        return _masked(x, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return _masked(gradient, kept, ctx.scale), None


def _masked(x: Tensor, kept: Tensor, scale: float) -> Tensor:
    """x * kept * scale in one pass; a product with truth values would go one at a time."""
    return torch.addcmul(x.new_zeros(()), x, kept.to(x.dtype), value=scale)


_byte_dropout: Callable[[Tensor, int], Tensor] = _ByteDropout.apply
