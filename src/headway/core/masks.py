"""Who may attend to whom: masks, and the attention pattern of one batch.

True = may attend, everywhere. A mask knows positions only; a `Pattern` ties it to a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.core.band import Band
from headway.core.layout import Layout

__all__ = ["Local", "Mask", "Pattern", "SlidingCausal", "causal", "everywhere"]

BLOCK = 128
"""Queries a block where windows are small: large enough for products, small enough to fit them."""

Mask = Callable[[Tensor, Tensor], Tensor]
"""(query positions [..., q, 1], key positions [k]) -> bool [..., q, k], True = may attend."""


def everywhere(queries: Tensor, keys: Tensor) -> Tensor:
    """Every query sees every key of its sequence (BERT; cross-attention)."""
    return torch.ones((), dtype=torch.bool, device=keys.device).expand(
        torch.broadcast_shapes(queries.shape, keys.shape)
    )


def causal(queries: Tensor, keys: Tensor) -> Tensor:
    """A query sees the keys at its own position and before (GPT).

    >>> causal(torch.arange(3)[:, None], torch.arange(3)).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return keys <= queries


@dataclass(frozen=True)
class Local:
    """A query sees the keys around it (Longformer; ModernBERT's local layers).

    Args:
        window: how wide, in tokens; half of it, rounded down, on each side of a query.

    >>> Local(2)(torch.arange(4)[:, None], torch.arange(4)).int()
    tensor([[1, 1, 0, 0],
            [1, 1, 1, 0],
            [0, 1, 1, 1],
            [0, 0, 1, 1]], dtype=torch.int32)

    Source: Beltagy et al. 2020, arXiv 2004.05150.
    """

    window: int

    def __post_init__(self) -> None:
        if self.window < 0:
            raise ValueError(f"a window of {self.window} tokens cannot be")

    def __call__(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Positions [..., q, 1] and [k] -> bool [..., q, k]."""
        return (queries - keys).abs() <= self.window // 2

    @property
    def reach(self) -> tuple[int, int]:
        """How many places a query sees before its own, and behind it."""
        return self.window // 2, self.window // 2

    def within(self, longest: int) -> Mask:
        """The same among `longest` keys: plain where the window reaches from end to end."""
        return everywhere if self.window // 2 >= longest - 1 else self


@dataclass(frozen=True)
class SlidingCausal:
    """A query sees itself and the keys just before it (Mistral, Qwen2).

    Args:
        window: how many keys a query sees, itself among them, 1 or more.

    >>> SlidingCausal(2)(torch.arange(4)[:, None], torch.arange(4)).int()
    tensor([[1, 0, 0, 0],
            [1, 1, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 1, 1]], dtype=torch.int32)

    Source: Jiang et al. 2023, arXiv 2310.06825.
    """

    window: int

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"a window of {self.window} tokens cannot be")

    def __call__(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Positions [..., q, 1] and [k] -> bool [..., q, k]."""
        return (keys <= queries) & (keys > queries - self.window)

    @property
    def reach(self) -> tuple[int, int]:
        """How many places a query sees before its own, and behind it."""
        return self.window - 1, 0

    def within(self, longest: int) -> Mask:
        """The same among `longest` keys: plain where the window reaches from end to end."""
        return causal if self.window >= longest else self


@dataclass(frozen=True, eq=False)
class Pattern:
    """What each query of a ragged batch may attend to; made once a pass, used by each layer.

    Args:
        queries: layout of the queries.
        keys: layout of the keys; as many sequences.
        mask: `everywhere`, or another where the keys are the queries' own texts from their start:
            `causal`, `Local`, `SlidingCausal`. A window that no text here leaves becomes the plain
            mask that it is then.
        bias: what is added to the scores by position (T5), as float [..., heads, q, k] of the same
            arguments; None adds nothing.
        global_keys: for each sequence, how many of its first keys every query sees whatever the
            mask says; () = none.
    """

    queries: Layout
    keys: Layout
    mask: Mask = everywhere
    bias: Callable[[Tensor, Tensor], Tensor] | None = None
    global_keys: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.queries.lengths) != len(self.keys.lengths):
            raise ValueError(
                f"{len(self.queries.lengths)} sequences of queries cannot attend to "
                f"{len(self.keys.lengths)} sequences of keys"
            )
        if isinstance(self.mask, Local | SlidingCausal):
            object.__setattr__(self, "mask", self.mask.within(self.keys.longest))

    @cached_property
    def from_global(self) -> Pattern:
        """The same texts as their global tokens see them: from each of these to every key."""
        return Pattern(Layout(self.global_keys, device=self.keys.device), self.keys)

    @cached_property
    def global_rows(self) -> Tensor:
        """The rows of the keys that are global, int64 [global tokens]."""
        return (self.keys.within < self._global_counts()[self.keys.sequence]).nonzero()[:, 0]

    @property
    def whole(self) -> bool:
        """Whether queries and keys are the same texts, read from their first token on."""
        return not any(self.queries.past) and self.queries.lengths == self.keys.lengths

    @property
    def plain(self) -> bool:
        """Whether the mask says all that there is to say."""
        return self.bias is None and (self.mask is everywhere or not any(self.global_keys))

    @property
    def plainly_causal(self) -> bool:
        """Whether it is a whole causal sequence from its first token on, with nothing added."""
        return self.mask is causal and self.plain and self.whole

    @cached_property
    def band(self) -> Band | None:
        """How the texts are cut where a window leaves much of them out; None = they are not."""
        if not isinstance(self.mask, Local | SlidingCausal) or self.bias is not None:
            return None
        if not self.whole:
            return None
        before, after = self.mask.reach
        band = Band(self.queries, before, after, max(BLOCK, (before + after) // 4))
        return band if band.width < self.keys.longest else None

    @cached_property
    def banded(self) -> Tensor | None:
        """What is added to the scores of each block of `band`, -inf = unseen.

        Float [blocks, 1, block, width + most global keys]: the global keys of a block's text come
        behind its window, and are not seen in it.
        """
        if self.band is None:
            return None
        counts = self._global_counts()
        unseen = self.band.unseen(self.mask, counts)
        places = torch.arange(max(self.global_keys, default=0), device=counts.device)
        absent = places >= counts[self.band.blocks.sequence][:, None]  # [blocks, global]
        absent = absent[:, None, :].expand(-1, self.band.block, -1)
        unseen = torch.cat([unseen, absent], dim=-1)
        added = torch.zeros(unseen.shape, device=counts.device)
        return added.masked_fill_(unseen, -torch.inf)[:, None]

    @cached_property
    def per_sequence(self) -> list[Tensor]:
        """What is added to each sequence's scores: float [heads or 1, q, k], -inf = unseen."""
        return [
            self._added(queries[:, None], keys, count)
            for queries, keys, count in zip(
                self.queries.split(self.queries.positions),
                self.keys.split(self.keys.positions),
                self._global_counts(),
                strict=True,
            )
        ]

    @cached_property
    def padded(self) -> Tensor | None:
        """The same for a padded batch: float [sequences or 1, heads or 1, q, k]; None = nothing."""
        if self.mask is everywhere and self.bias is None and self.keys.uniform:
            return None
        past = self.queries.past[:1] if len(set(self.queries.past)) == 1 else self.queries.past
        start = torch.tensor(past, device=self.queries.device)[:, None]  # [sequences or 1, 1]
        rows = torch.arange(self.queries.longest, device=self.queries.device)
        keys = torch.arange(self.keys.longest, device=self.keys.device)
        counts = self._global_counts()[:, None, None] if any(self.global_keys) else None
        added = self._added((start + rows)[..., None], keys, counts)
        if self.mask is causal or self.keys.uniform:  # [sequences or 1, heads or 1, q, k]
            return added  # a causal query sees nothing behind its own place, so no padding either
        beyond = keys >= self.keys.counts[:, None]  # [sequences, k]
        added = added.masked_fill(beyond[:, None, None, :], -torch.inf)
        if self.mask is everywhere:
            return added
        # Padding beyond the reach of every key sees all, so that no softmax is undefined.
        padding = rows >= self.queries.counts[:, None]  # [sequences, q]
        return added.masked_fill(padding[:, None, :, None], 0.0)

    def _global_counts(self) -> Tensor:
        """`global_keys` as a tensor, int64 [sequences]."""
        counts = self.global_keys or (0,) * len(self.keys.lengths)
        return torch.tensor(counts, dtype=torch.int64, device=self.keys.device)

    def _added(self, queries: Tensor, keys: Tensor, global_keys: Tensor | None = None) -> Tensor:
        """Query positions [..., q, 1], key positions [k], and how many of the first keys are seen
        by all -> float [..., heads or 1, q, k]."""
        seen = self.mask(queries, keys)
        if global_keys is not None:
            seen = seen | (keys < global_keys)
        seen = seen.unsqueeze(-3)  # [..., 1, q, k]
        added = torch.zeros(seen.shape, device=seen.device)
        if self.bias is not None:
            added = self.bias(queries, keys)
        return added.masked_fill(~seen, -torch.inf)
