"""One vector a sequence, from its tokens' hidden states. Only real tokens are there to pool."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from headway.core.layout import Layout

__all__ = ["POOLINGS", "first", "last", "maximum", "mean"]


def first(hidden: Tensor, layout: Layout) -> Tensor:
    """The first token's state (BERT's [CLS]): [tokens, hidden] -> [sequences, hidden]."""
    return hidden[layout.firsts]


def last(hidden: Tensor, layout: Layout) -> Tensor:
    """The last token's state (decoders): [tokens, hidden] -> [sequences, hidden]."""
    return hidden[layout.lasts]


def mean(hidden: Tensor, layout: Layout) -> Tensor:
    """The mean over the tokens: [tokens, hidden] -> [sequences, hidden]."""
    return layout.sums(hidden) / layout.counts[:, None].to(hidden.dtype)


def maximum(hidden: Tensor, layout: Layout) -> Tensor:
    """The largest value of each dimension: [tokens, hidden] -> [sequences, hidden]."""
    return layout.largest(hidden)


POOLINGS: dict[str, Callable[[Tensor, Layout], Tensor]] = {
    "first": first,
    "last": last,
    "max": maximum,
    "mean": mean,
}
"""Name -> function."""
