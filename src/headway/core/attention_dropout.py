"""Attention whose map has dropout, on a processor, with a backward pass of its own.

Autograd keeps three maps, the softmax, what is dropped and what is left, and walks through memory
for each step of each. Here a few maps at a time go through all steps while they are in the
processor's cache. Of each number the byte that says whether it was dropped is kept; maps are kept
where they are few, and made again where not. What a softmax's backward pass needs of a row, the sum
of its gradients times its values, is that of the result: one number a query.

Source: Dao et al. 2022, "FlashAttention", arXiv 2205.14135, section 3 and appendix B.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from headway.core.dropout import kept_bytes, scale_of

__all__ = ["as_in_calls_of", "attention_with_dropout"]

TILE = 2**18
"""Numbers of maps that go through all steps together: 1 MB in single precision."""

FEW = 2**22
"""Most numbers of maps that are kept for the backward pass: 16 MB."""

_told: ContextVar[int | None] = ContextVar("_told", default=None)
"""How many a call is taken to have; None = as many as it has."""


def attention_with_dropout(
    q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, *, scale: float, dropped: int
) -> Tensor:
    """dropout(softmax(scale * q k' + added)) v.

    Args:
        q: [sequences, heads, queries, size].
        k, v: [sequences, heads, keys, size].
        added: to the scores, [sequences or 1, heads or 1, queries or 1, keys]; None = nothing.
        scale: of the scores.
        dropped: how many of 256 numbers of a map become zero, 1 to 255, as in `dropout`.

    Returns:
        [sequences, heads, queries, size].

    >>> one = torch.ones(1, 1, 2, 4)
    >>> attention_with_dropout(one, one, one, None, scale=1.0, dropped=128).shape
    torch.Size([1, 1, 2, 4])
    """
    return _with_dropout(q * scale, k, v, added, dropped)


@contextmanager
def as_in_calls_of(numbers: int) -> Iterator[None]:
    """While open, maps are kept or made again as in calls with so many numbers of maps: a small
    model then keeps what a large one does.

    Args:
        numbers: sequences * heads * queries * keys.
    """
    before = _told.set(numbers)
    try:
        yield
    finally:
        _told.reset(before)


class _WithDropout(torch.autograd.Function):
    """The queries are scaled already. Tensors of four axes have sequences and heads in one here."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, dropped: int
    ) -> Tensor:
        shape = (*q.shape[:3], k.shape[2])
        q, k, v = (side.contiguous().flatten(0, 1) for side in (q, k, v))
        kept = kept_bytes(shape, dropped).flatten(0, 1)
        told = _told.get()
        few = (kept.numel() if told is None else told) <= FEW
        maps = q.new_empty(kept.shape) if few else None
        mixed = q.new_empty(*q.shape[:2], v.shape[2])
        rooms = q.new_empty(2, *_largest(shape))
        for tile in _tiles(shape):
            left, fresh = rooms[:, : tile.count]
            weights = _softmax(q, k, added, tile, fresh if maps is None else maps[tile.maps])
            left.copy_(kept[tile.maps]).mul_(weights)
            torch.bmm(left, v[tile.maps], out=mixed[tile.maps])
        mixed *= scale_of(dropped)
        ctx.shape, ctx.dropped = shape, dropped
        ctx.save_for_backward(q, k, v, added, kept, maps, mixed)
        return mixed.unflatten(0, shape[:2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, added, kept, maps, mixed = ctx.saved_tensors
        asked = gradient.contiguous().flatten(0, 1)
        exact = torch.promote_types(asked.dtype, torch.float32)
        rows = (asked.to(exact) * mixed).sum(dim=-1, keepdim=True)
        asked = asked * scale_of(ctx.dropped)
        of_q, of_k, of_v = (torch.empty_like(side) for side in (q, k, v))
        of_added = torch.zeros_like(added) if ctx.needs_input_grad[3] else None
        rooms = q.new_empty(3, *_largest(ctx.shape))
        for tile in _tiles(ctx.shape):
            left, scores, fresh = rooms[:, : tile.count]
            weights = _softmax(q, k, added, tile, fresh) if maps is None else maps[tile.maps]
            left.copy_(kept[tile.maps])
            torch.bmm(asked[tile.maps], v[tile.maps].mT, out=scores)
            scores.mul_(left).sub_(rows[tile.maps]).mul_(weights)
            left.mul_(weights)
            torch.bmm(left.mT, asked[tile.maps], out=of_v[tile.maps])
            torch.bmm(scores, k[tile.maps], out=of_q[tile.maps])
            torch.bmm(scores.mT, q[tile.maps], out=of_k[tile.maps])
            if of_added is not None:
                part = tile.of(of_added)
                part += tile.apart(scores).sum_to_size(part.shape)
        sides = (side.unflatten(0, ctx.shape[:2]) for side in (of_q, of_k, of_v))
        return (*sides, of_added, None)


_with_dropout: Callable[..., Tensor] = _WithDropout.apply


@dataclass(frozen=True)
class _Tile:
    """Maps that go through all steps together: of some sequences all heads, or some of one's."""

    sequences: slice
    heads: slice
    maps: slice

    @property
    def count(self) -> int:
        """How many maps."""
        return int(self.maps.stop - self.maps.start)

    def of(self, added: Tensor) -> Tensor:
        """Its part of what is added, which may be the same for all sequences, or heads."""
        return added[
            self.sequences if added.shape[0] > 1 else slice(None),
            self.heads if added.shape[1] > 1 else slice(None),
        ]

    def apart(self, maps: Tensor) -> Tensor:
        """Its maps as [sequences, heads, queries, keys]."""
        return maps.unflatten(0, (self.sequences.stop - self.sequences.start, -1))


def _tiles(shape: tuple[int, ...]) -> Iterator[_Tile]:
    """All maps of [sequences, heads, queries, keys]."""
    sequences, heads, *_ = shape
    count, *_ = _largest(shape)
    if count >= heads:
        step = count // heads
        for first in range(0, sequences, step):
            last = min(first + step, sequences)
            yield _Tile(slice(first, last), slice(0, heads), slice(first * heads, last * heads))
        return
    for first in range(sequences):
        for head in range(0, heads, count):
            last, begin = min(head + count, heads), first * heads
            yield _Tile(
                slice(first, first + 1), slice(head, last), slice(begin + head, begin + last)
            )


def _largest(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[maps, queries, keys] of the largest tile."""
    sequences, heads, *of_map = shape
    count = min(max(1, TILE // math.prod(of_map)), sequences * heads)
    return (count - count % heads if count > heads else count, *of_map)


def _softmax(q: Tensor, k: Tensor, added: Tensor | None, tile: _Tile, out: Tensor) -> Tensor:
    """The maps of a tile, written to `out`, [maps, queries, keys]."""
    torch.bmm(q[tile.maps], k[tile.maps].mT, out=out)
    if added is not None:
        tile.apart(out).add_(tile.of(added))
    return torch.softmax(out, dim=-1, out=out)
