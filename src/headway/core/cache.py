"""Keys and values of the tokens already read, so that decoding reads each token once."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from headway.core.layout import Layout

__all__ = ["Cache", "Extension", "LayerCache"]


class LayerCache:
    """What one attention layer remembers: keys and values, ragged, [tokens, key heads, size]."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor, extension: Extension) -> tuple[Tensor, Tensor]:
        """Adds the new tokens behind their sequences' old ones and returns all of them."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat([self.keys, keys]).index_select(0, extension.order)
            values = torch.cat([self.values, values]).index_select(0, extension.order)
        self.keys, self.values = keys, values
        return keys, values


class Extension:
    """One step of a cache: the layout of the new tokens, and of all tokens after them.

    Attributes:
        new: layout of the tokens of this call, `past` filled from the cache.
        total: layout of the tokens of all calls.
    """

    def __init__(self, old: Layout, lengths: tuple[int, ...]) -> None:
        self.old = old
        self.new = Layout(lengths, past=old.lengths, device=old.device)
        both = zip(old.lengths, lengths, strict=True)
        self.total = Layout(tuple(a + b for a, b in both), device=old.device)

    @cached_property
    def order(self) -> Tensor:
        """Rows of cat(old, new) in the order of `total`, int64 [total tokens]."""
        return torch.cat([self.old.sequence, self.new.sequence]).argsort(stable=True)


class Cache:
    """What a decoder remembers of a batch between calls.

    Args:
        sequences: how many texts are decoded at once.
        layers: how many blocks the decoder has.

    >>> cache = Cache(sequences=2, layers=1)
    >>> step = cache.advance(Layout((3, 1)))  # two prompts
    >>> cache.advance(Layout((1, 1))).new.positions  # one token more of each
    tensor([3, 1])
    """

    def __init__(self, sequences: int, layers: int, device: torch.device | None = None) -> None:
        self.layout = Layout((0,) * sequences, device=device or torch.device("cpu"))
        self.self_attention = [LayerCache() for _ in range(layers)]
        self.cross_attention = [LayerCache() for _ in range(layers)]

    def advance(self, layout: Layout) -> Extension:
        """Makes room for the tokens of one call."""
        extension = Extension(self.layout, layout.lengths)
        self.layout = extension.total
        return extension
