"""A ragged batch cut into blocks of queries, each beside the keys that a window reaches from it.

What a window cannot reach is never multiplied, so that cost grows with a text's length and not with
its square. Blocks of different texts lie in one tensor; a mask keeps them apart.
Source: the sliding chunks of Beltagy et al. 2020, arXiv 2004.05150, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.core.layout import Layout, gather, scatter

__all__ = ["Band"]


@dataclass(frozen=True, eq=False)
class Band:
    """How texts whose tokens look at their own neighbours are cut.

    Args:
        layout: of the texts, read from their first token on.
        before, after: how many places a query reaches backwards and forwards.
        block: queries a block, 1 or more.

    >>> band = Band(Layout((5, 2)), before=1, after=0, block=4)
    >>> band.cut(torch.arange(7)[:, None] + 1)[..., 0]  # the rows 1 to 5 are the first text's
    tensor([[1, 2, 3, 4],
            [5, 0, 0, 0],
            [6, 7, 0, 0]])
    >>> band.windows(torch.arange(7)[:, None] + 1)[..., 0]
    tensor([[0, 1, 2, 3, 4],
            [4, 5, 0, 0, 0],
            [0, 6, 7, 0, 0]])
    """

    layout: Layout
    before: int
    after: int
    block: int

    @property
    def width(self) -> int:
        """Keys a block sees at most."""
        return self.before + self.block + self.after

    @cached_property
    def blocks(self) -> Layout:
        """How many blocks each text has, as a layout of blocks."""
        counts = tuple(-(-length // self.block) for length in self.layout.lengths)
        return Layout(counts, device=self.layout.device)

    @cached_property
    def slots(self) -> Tensor:
        """The place of each row among the blocks' rows, int64 [tokens]."""
        first = self.blocks.boundaries[self.layout.sequence] * self.block
        return first + self.layout.within

    def cut(self, rows: Tensor) -> Tensor:
        """Rows [tokens, ...] as blocks [blocks, block, ...], zeros behind each text's end."""
        return scatter(rows, self.slots, (self.blocks.tokens, self.block, *rows.shape[1:]))

    def windows(self, rows: Tensor) -> Tensor:
        """Rows [tokens, ...] as what each block sees, [blocks, width, ...]; one overlapping view.

        Ends of neighbouring texts show in it, and zeros.
        """
        places = self.before + self.blocks.tokens * self.block + self.after
        laid = scatter(rows, self.slots + self.before, (1, places, *rows.shape[1:]))[0]
        return laid.unfold(0, self.width, self.block).movedim(-1, 1)

    def join(self, blocks: Tensor) -> Tensor:
        """The inverse of `cut`: [blocks, block, ...] as rows [tokens, ...]."""
        return gather(blocks.flatten(0, 1), self.slots)

    def unseen(self, mask: Callable[[Tensor, Tensor], Tensor], hidden_keys: Tensor) -> Tensor:
        """What no query of a block may see of its window, bool [blocks, block, width].

        Args:
            mask: (query positions [block, 1], key positions [width]) -> bool [block, width]; one
                that minds distances only.
            hidden_keys: how many of each text's first keys are not seen here, int64 [sequences].
        """
        device = self.layout.device
        places = torch.arange(self.width, device=device) - self.before
        queries = torch.arange(self.block, device=device)[:, None]
        keys = self.blocks.within[:, None] * self.block + places  # [blocks, width]
        text = self.blocks.sequence[:, None]
        there = (keys >= hidden_keys[text]) & (keys < self.layout.counts[text])
        unseen = ~(mask(queries, places) & there[:, None, :])  # [blocks, block, width]
        # A query behind its text's end sees its own place: no softmax is undefined.
        beyond = keys[:, self.before : self.before + self.block] >= self.layout.counts[text]
        return unseen & ~((queries == places) & beyond[..., None])
