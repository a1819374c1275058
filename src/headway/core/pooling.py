"""One vector a sequence, from its tokens' hidden states. Only real tokens are there to pool."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from headway.core.layout import Layout

__all__ = ["POOLINGS", "first", "last", "maximum", "mean"]


def first(hidden: Tensor, layout: Layout) -> Tensor:
    """The first token's state (BERT's [CLS]): [tokens, hidden] -> [sequences, hidden]."""
    return hidden[layout.boundaries[:-1]]


def last(hidden: Tensor, layout: Layout) -> Tensor:
    """The last token's state (decoders): [tokens, hidden] -> [sequences, hidden]."""
    return hidden[layout.boundaries[1:] - 1]


def mean(hidden: Tensor, layout: Layout) -> Tensor:
    """The mean over the tokens: [tokens, hidden] -> [sequences, hidden]."""
    total = hidden.new_zeros(len(layout.lengths), hidden.shape[-1])
    total = total.index_add(0, layout.sequence, hidden)
    return total / layout.counts[:, None].to(hidden.dtype)


def maximum(hidden: Tensor, layout: Layout) -> Tensor:
    """The largest value of each dimension: [tokens, hidden] -> [sequences, hidden]."""
    index = layout.sequence[:, None].expand_as(hidden)
    lowest = hidden.new_full((len(layout.lengths), hidden.shape[-1]), float("-inf"))
    return lowest.scatter_reduce(0, index, hidden, "amax")


POOLINGS: dict[str, Callable[[Tensor, Layout], Tensor]] = {
    "first": first,
    "last": last,
    "max": maximum,
    "mean": mean,
}
"""Name -> function."""
