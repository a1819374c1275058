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

__all__ = ["Pattern", "causal", "everywhere"]


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


@dataclass(frozen=True, eq=False)
class Pattern:
    """What each query of a ragged batch may attend to; made once a pass, used by each layer.

    Args:
        queries: layout of the queries.
        keys: layout of the keys; as many sequences.
        mask: `everywhere`, or `causal` where the keys are the queries' own texts from their start:
            (query positions [..., q, 1], key positions [k]) -> bool [..., q, k].
        bias: what is added to the scores by position (T5), as float [..., heads, q, k] of the same
            arguments; None adds nothing.
    """

    queries: Layout
    keys: Layout
    mask: Callable[[Tensor, Tensor], Tensor] = everywhere
    bias: Callable[[Tensor, Tensor], Tensor] | None = None

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
        return [self._added(queries[:, None], keys) for queries, keys in pairs]

    @cached_property
    def padded(self) -> Tensor | None:
        """The same for a padded batch: float [sequences or 1, heads or 1, q, k]; None = nothing."""
        if self.mask is everywhere and self.bias is None and self.keys.uniform:
            return None
        past = self.queries.past[:1] if len(set(self.queries.past)) == 1 else self.queries.past
        start = torch.tensor(past, device=self.queries.device)[:, None]  # [sequences or 1, 1]
        queries = start + torch.arange(self.queries.longest, device=self.queries.device)
        keys = torch.arange(self.keys.longest, device=self.keys.device)
        added = self._added(queries[..., None], keys)  # [sequences or 1, heads or 1, q, k]
        if self.mask is causal or self.keys.uniform:
            return added  # a causal query sees nothing behind its own place, so no padding either
        beyond = keys >= self.keys.counts[:, None]  # [sequences, k]
        return added.masked_fill(beyond[:, None, None, :], -torch.inf)

    def _added(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Query positions [..., q, 1], key positions [k] -> float [..., heads or 1, q, k]."""
        seen = self.mask(queries, keys).unsqueeze(-3)  # [..., 1, q, k]
        added = torch.zeros(seen.shape, device=seen.device)
        if self.bias is not None:
            added = self.bias(queries, keys)
        return added.masked_fill(~seen, -torch.inf)
