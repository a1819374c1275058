"""Several linear layers of one input, computed as one matrix product."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["FusedLinear"]


class FusedLinear(nn.Linear):
    """Linear layers side by side: one product is faster than several small ones.

    Args:
        inputs: size of the common input.
        widths: output size of each layer, in order.
        bias: whether they have one.

    >>> import torch
    >>> [part.shape[-1] for part in FusedLinear(3, (2, 5)).separate(torch.ones(4, 3))]
    [2, 5]
    """

    def __init__(self, inputs: int, widths: tuple[int, ...], *, bias: bool = True) -> None:
        super().__init__(inputs, sum(widths), bias=bias)
        self.widths = widths

    def separate(self, x: Tensor) -> tuple[Tensor, ...]:
        """[tokens, inputs] -> one [tokens, width] a layer."""
        return self(x).split(self.widths, dim=-1)

    def separate_leading(self, x: Tensor, count: int) -> tuple[Tensor, ...]:
        """The first `count` of `separate`, without the others' products."""
        if self._forward_hooks:  # what is learned beside the whole is beside its parts too
            return self.separate(x)[:count]
        width = sum(self.widths[:count])
        bias = None if self.bias is None else self.bias[:width]
        return F.linear(x, self.weight[:width], bias).split(self.widths[:count], dim=-1)

    def separate_first(self, x: Tensor, others: Tensor) -> tuple[Tensor, ...]:
        """As `separate`, where the first layer reads [rows, inputs] of its own."""
        if self._forward_hooks:
            return self.separate(x)[0], *self.separate(others)[1:]
        width = self.widths[0]
        bias = (None, None) if self.bias is None else (self.bias[:width], self.bias[width:])
        first = F.linear(x, self.weight[:width], bias[0])
        rest = F.linear(others, self.weight[width:], bias[1])
        return first, *rest.split(self.widths[1:], dim=-1)
