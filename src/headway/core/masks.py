"""Who may attend to whom: masks, and the attention pattern of one batch.

True = may attend, everywhere. A mask knows positions only; a `Pattern` ties it to a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.core.layout import Layout

__all__ = ["Mask", "Pattern", "causal", "everywhere"]

Mask = Callable[[Tensor, Tensor], Tensor]
"""(query positions [q], key positions [k]) -> bool [q, k], True = may attend."""

Bias = Callable[[Tensor, Tensor], Tensor]
"""(query positions [q], key positions [k]) -> float [heads, q, k], added to the scores."""


def everywhere(queries: Tensor, keys: Tensor) -> Tensor:
    """Every query sees every key of its sequence (BERT; cross-attention)."""
    return torch.ones(len(queries), len(keys), dtype=torch.bool, device=queries.device)


def causal(queries: Tensor, keys: Tensor) -> Tensor:
    """A query sees the keys at its own position and before (GPT)."""
    return keys[None, :] <= queries[:, None]


@dataclass(frozen=True, eq=False)
class Pattern:
    """What each query of a ragged batch may attend to; made once a pass, used by each layer.

    Args:
        queries: layout of the queries.
        keys: layout of the keys; as many sequences.
        mask: which positions see which.
        bias: scores added by position (T5); None adds nothing.
    """

    queries: Layout
    keys: Layout
    mask: Mask = everywhere
    bias: Bias | None = None

    def __post_init__(self) -> None:
        if len(self.queries.lengths) != len(self.keys.lengths):
            raise ValueError(
                f"{len(self.queries.lengths)} sequences of queries cannot attend to "
                f"{len(self.keys.lengths)} sequences of keys"
            )

    @property
    def plainly_causal(self) -> bool:
        """Whether it is a whole causal sequence from its first token on, with nothing added."""
        return (
            self.mask is causal
            and self.bias is None
            and not any(self.queries.past)
            and self.queries.lengths == self.keys.lengths
        )

    @cached_property
    def per_sequence(self) -> list[Tensor]:
        """What is added to each sequence's scores: float [heads or 1, q, k], -inf = unseen."""
        pairs = zip(
            self.queries.split(self.queries.positions),
            self.keys.split(self.keys.positions),
            strict=True,
        )
        return [self._added(queries, keys) for queries, keys in pairs]

    @cached_property
    def padded(self) -> Tensor | None:
        """The same for a padded batch: float [sequences or 1, heads or 1, q, k]; None = nothing."""
        if self.mask is everywhere and self.bias is None and self.keys.uniform:
            return None
        if any(self.queries.past) or (self.mask is not everywhere and not self.keys.uniform):
            return self._stack()
        shape = self.queries.longest, self.keys.longest
        added = self._added(*(torch.arange(n, device=self.keys.device) for n in shape))[None]
        if self.keys.uniform:
            return added
        places = torch.arange(self.keys.longest, device=self.keys.device)
        beyond = places[None, :] >= self.keys.counts[:, None]  # [sequences, k]
        return added.masked_fill(beyond[:, None, None, :], -torch.inf)

    def _added(self, queries: Tensor, keys: Tensor) -> Tensor:
        seen = self.mask(queries, keys)
        added = torch.zeros((1, *seen.shape), device=seen.device)
        if self.bias is not None:
            added = self.bias(queries, keys)
        return added.masked_fill(~seen, -torch.inf)

    def _stack(self) -> Tensor:
        """`per_sequence` padded: keys behind the end unseen, queries behind the end see key 0."""
        heads = self.per_sequence[0].shape[0]
        shape = (len(self.keys.lengths), heads, self.queries.longest, self.keys.longest)
        stacked = torch.full(shape, -torch.inf, device=self.keys.device)
        stacked[..., 0] = 0.0
        for row, added in zip(stacked, self.per_sequence, strict=True):
            row[:, : added.shape[1], : added.shape[2]] = added
        return stacked
