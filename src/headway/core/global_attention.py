"""Attention with global tokens: most tokens see a window, a few see and are seen by all.

The global tokens of a text are its first ones: the first token alone where a text is classified,
the question where one stands before the text that answers it.
Source: Beltagy et al. 2020, arXiv 2004.05150, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headway.core.attention import equal_parts
from headway.core.cache import Extension, LayerCache
from headway.core.dropout import Dropout
from headway.core.kernels import attend, attention_maps, mixed_by_maps
from headway.core.layout import Layout
from headway.core.linear import FusedLinear
from headway.core.masks import Pattern
from headway.core.taps import Tap

__all__ = ["BeforeSeparator", "GlobalLocalAttention", "GlobalTokens", "first_token"]

GlobalTokens = Callable[[Tensor, Layout], tuple[int, ...]]
"""(ids, int64 [tokens]; their layout) -> how many of each text's first tokens are global."""

Three = tuple[Tensor, Tensor, Tensor]
"""Queries, keys, values."""


def first_token(ids: Tensor, layout: Layout) -> tuple[int, ...]:
    """The first token of each text.

    >>> first_token(torch.tensor([0, 7, 2, 0, 2]), Layout((3, 2)))
    (1, 1)
    """
    return tuple(min(1, length) for length in layout.lengths)


@dataclass(frozen=True)
class BeforeSeparator:
    """The tokens before the first separator, a question's; the first token where there is none.

    Args:
        id: of the separator.

    >>> BeforeSeparator(2)(torch.tensor([0, 7, 9, 2, 2, 5, 2, 0, 4]), Layout((7, 2)))
    (3, 1)
    """

    id: int

    def __call__(self, ids: Tensor, layout: Layout) -> tuple[int, ...]:
        """Ids int64 [tokens] and their layout -> a number a text."""
        texts = [(text == self.id).tolist() for text in layout.split(ids)]
        firsts = (text.index(True) if True in text else 1 for text in texts)
        return tuple(
            min(max(1, first), length) for first, length in zip(firsts, layout.lengths, strict=True)
        )


class GlobalLocalAttention(nn.Module):
    """Self-attention in which a text's global tokens look with projections of their own.

    Every token sees the global ones beside what the mask lets it see, with the projections that all
    have; what a global token gathers comes from its own three.

    Args:
        hidden: size of a hidden state.
        heads: attention heads.
        dropout: rate on the attention map.
    """

    def __init__(self, hidden: int, heads: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.head_size = equal_parts(hidden, heads)
        self.scale = self.head_size**-0.5
        self.dropout = Dropout(dropout)
        self.qkv = FusedLinear(hidden, (hidden, hidden, hidden))
        self.global_q = nn.Linear(hidden, hidden)
        self.global_kv = FusedLinear(hidden, (hidden, hidden))
        self.output = nn.Linear(hidden, hidden)
        self.map = Tap()

    def forward(
        self,
        x: Tensor,
        pattern: Pattern,
        *,
        angles: tuple[Tensor, Tensor] | None = None,
        cache: LayerCache | None = None,
        extension: Extension | None = None,
    ) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden].

        Args:
            x: hidden states of whole texts.
            pattern: who may attend to whom; its `global_keys` are the global tokens.
            angles, cache, extension: as blocks hand them to any attention; not used here.
        """
        q, k, v = (self._heads(part) for part in self.qkv.separate(x))  # [tokens, heads, size]
        drop = self.dropout.now
        if not any(pattern.global_keys):
            mixed = attend(q, k, v, pattern, scale=self.scale, drop=drop, map_tap=self.map)
            return self.output(mixed.flatten(1))
        rows = pattern.global_rows
        own_q = self._heads(self.global_q(x.index_select(0, rows)))  # [global tokens, heads, size]
        own_k, own_v = (self._heads(part) for part in self.global_kv.separate(x))
        if self.map.watched:
            mixed = self._watched((q, k, v), (own_q, own_k, own_v), pattern, drop)
            return self.output(mixed.flatten(1))
        mixed = attend(q, k, v, pattern, scale=self.scale, drop=drop, map_tap=self.map)
        seen = attend(
            own_q, own_k, own_v, pattern.from_global, scale=self.scale, drop=drop, map_tap=self.map
        )
        return self.output(mixed.index_copy(0, rows, seen).flatten(1))

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (-1, self.head_size))

    def _watched(self, usual: Three, own: Three, pattern: Pattern, drop: float) -> Tensor:
        """The same by whole maps, in which a global token's row is what it really attends to."""
        (q, k, v), (own_q, own_k, own_v) = usual, own
        all_maps = attention_maps(q, k, pattern, scale=self.scale)
        own_maps = attention_maps(own_q, own_k, pattern.from_global, scale=self.scale)
        counts = pattern.global_keys
        maps = [
            torch.cat([one, rest[:, count:]], dim=1)  # [heads, q, k]
            for one, rest, count in zip(own_maps, all_maps, counts, strict=True)
        ]
        maps = self.map(maps)
        pairs = list(zip(maps, counts, strict=True))
        firsts = mixed_by_maps([m[:, :n] for m, n in pairs], own_v, pattern.keys, drop=drop)
        others = mixed_by_maps([m[:, n:] for m, n in pairs], v, pattern.keys, drop=drop)
        return torch.cat([part for both in zip(firsts, others, strict=True) for part in both])
