"""A ragged batch step after step, for what reads its sequences token by token.

All first tokens, then all second ones: what goes over the steps treats every sequence at once, and
a sequence that has ended is no longer there. Nothing is padded.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.core.layout import Layout

__all__ = ["Steps"]


@dataclass(frozen=True, eq=False)
class Steps:
    """The order of a layout's rows by step; inside a step, longer sequences come first.

    Args:
        layout: where the sequences lie; those of no tokens take no part.

    >>> steps = Steps(Layout((1, 3)))
    >>> steps.order, steps.sizes
    (tensor([1, 0, 2, 3]), [2, 1, 1])
    """

    layout: Layout

    @cached_property
    def sizes(self) -> list[int]:
        """How many sequences have a token at each step; it never rises."""
        lengths = sorted(self.layout.lengths)
        return [len(lengths) - bisect_right(lengths, step) for step in range(self.layout.longest)]

    @cached_property
    def sequences(self) -> Tensor:
        """The sequence of each row of the first step, int64 [sequences that have tokens]."""
        by_length = self.layout.counts.argsort(descending=True, stable=True)
        return by_length[: self.sizes[0] if self.sizes else 0]

    @cached_property
    def order(self) -> Tensor:
        """The rows, step after step, int64 [tokens]."""
        count = len(self.layout.lengths)
        numbers = torch.arange(len(self.sequences), device=self.layout.device)
        place = torch.zeros_like(self.layout.counts).index_copy(0, self.sequences, numbers)
        return (self.layout.within * count + place[self.layout.sequence]).argsort()

    @cached_property
    def inverse(self) -> Tensor:
        """Where each row of the layout stands in `order`, int64 [tokens]."""
        return self.order.argsort()

    def split(self, rows: Tensor) -> list[Tensor]:
        """Rows [tokens, ...] as one tensor a step, [sequences still going, ...]."""
        return list(self.arrange(rows).split(self.sizes))

    def arrange(self, rows: Tensor) -> Tensor:
        """Rows [tokens, ...] as they lie in the layout, put into the order of the steps."""
        return rows.index_select(0, self.order)

    def restore(self, rows: Tensor) -> Tensor:
        """The inverse of `arrange`."""
        return rows.index_select(0, self.inverse)
