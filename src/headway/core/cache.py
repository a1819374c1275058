"""Keys and values of the tokens already read, so that decoding reads each token once.

A sequence's rows have room to grow, so that a step writes its own rows and moves no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.core.layout import Layout

__all__ = ["Cache", "Extension", "LayerCache", "Roomy"]

ROOM = 32
"""Fewest free rows of a sequence when its room has to grow."""


@dataclass(frozen=True, eq=False)
class Roomy(Layout):
    """A layout whose sequences have `room` rows each, of which the first `lengths` are in use.

    Args: as Layout, and
        room: rows of every sequence, at least as many as the longest has tokens.

    >>> rows = torch.tensor([1, 2, 0, 3, 0, 0])
    >>> Roomy((2, 1), room=3).split(rows)
    [tensor([1, 2]), tensor([3])]
    >>> Roomy((2, 1), room=3).pad(rows)
    tensor([[1, 2],
            [3, 0]])
    """

    room: int = 0

    @cached_property
    def positions(self) -> Tensor:
        """The place of each row in its sequence, int64 [sequences * room]."""
        return torch.arange(self.room, device=self.device).repeat(len(self.lengths))

    def split(self, rows: Tensor) -> list[Tensor]:
        """Rows [sequences * room, ...] as one tensor a sequence, without copying."""
        apart = rows.unflatten(0, (-1, self.room)).unbind()
        return [part[:length] for part, length in zip(apart, self.lengths, strict=True)]

    def pad(self, rows: Tensor) -> Tensor:
        """Rows as [sequences, longest, ...] without copying; what is behind an end is anything."""
        return rows.unflatten(0, (-1, self.room))[:, : self.longest]


class LayerCache:
    """What one attention layer remembers: keys and values, [rows, key heads, size]."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor, extension: Extension) -> tuple[Tensor, Tensor]:
        """Adds the new tokens behind their sequences' old ones and returns all, as `total` lies."""
        for name, new in (("keys", keys), ("values", values)):
            rows = _with_room(getattr(self, name), new, extension)
            setattr(self, name, rows.index_copy_(0, extension.rows, new))
        if extension.fresh:  # nothing was there: what came is all there is, in a smaller tensor
            return keys, values
        assert self.keys is not None and self.values is not None
        return self.keys, self.values


def _with_room(rows: Tensor | None, new: Tensor, extension: Extension) -> Tensor:
    """The rows of a cache, moved into a larger tensor where they have no room."""
    wanted = extension.sequences * extension.room
    if rows is not None and len(rows) == wanted:
        return rows
    larger = new.new_zeros(wanted, *new.shape[1:])
    if rows is not None:
        old = rows.unflatten(0, (extension.sequences, -1))
        larger.unflatten(0, (extension.sequences, -1))[:, : old.shape[1]] = old
    return larger


class Extension:
    """One step of a cache: the layout of the new tokens, and of all tokens after them.

    Args:
        old: layout of the tokens of earlier calls.
        lengths: how many tokens of each sequence come now.
        room: rows that each sequence has.

    Attributes:
        new: layout of the tokens of this call, `past` filled from the cache.
        total: layout of the tokens of all calls.
        fresh: whether there were no earlier calls.
    """

    def __init__(self, old: Layout, lengths: tuple[int, ...], room: int) -> None:
        self.room = room
        self.sequences = len(lengths)
        self.fresh = not any(old.lengths)
        self.new = Layout(lengths, past=old.lengths, device=old.device)
        both = tuple(a + b for a, b in zip(old.lengths, lengths, strict=True))
        self.total = (
            Layout(both, device=old.device)
            if self.fresh
            else Roomy(both, device=old.device, room=room)
        )

    @cached_property
    def rows(self) -> Tensor:
        """The row of each new token, int64 [new tokens]."""
        return self.new.sequence * self.room + self.new.positions


class Cache:
    """What a decoder remembers of a batch between calls.

    Args:
        sequences: how many texts are decoded at once.
        layers: how many blocks the decoder has.
        device: of the decoder.

    >>> cache = Cache(sequences=2, layers=1)
    >>> step = cache.advance(Layout((3, 1)))  # two prompts
    >>> cache.advance(Layout((1, 1))).new.positions  # one token more of each
    tensor([3, 1])
    """

    def __init__(self, sequences: int, layers: int, device: torch.device | None = None) -> None:
        self.layout = Layout((0,) * sequences, device=device or torch.device("cpu"))
        self.room = ROOM
        self.self_attention = [LayerCache() for _ in range(layers)]
        self.cross_attention = [LayerCache() for _ in range(layers)]

    def advance(self, layout: Layout) -> Extension:
        """Makes room for the tokens of one call."""
        most = max(map(sum, zip(self.layout.lengths, layout.lengths, strict=True)), default=0)
        if most > self.room:
            self.room = most + max(ROOM, most // 2)
        extension = Extension(self.layout, layout.lengths, self.room)
        self.layout = Layout(extension.total.lengths, device=self.layout.device)
        return extension

    def rewind(self, lengths: Sequence[int]) -> None:
        """Forgets what each sequence has beyond so many tokens."""
        if any(new > old for new, old in zip(lengths, self.layout.lengths, strict=True)):
            raise ValueError(f"a cache of {self.layout.lengths} tokens has no {tuple(lengths)}")
        self.layout = Layout(tuple(lengths), device=self.layout.device)

    def select(self, numbers: Sequence[int], memory: Layout | None = None) -> Layout | None:
        """Goes on with these sequences in this order; one may be named several times, or never.

        Args:
            numbers: of the sequences.
            memory: how the keys of cross-attention lie; None without any.

        Returns:
            How they lie now.
        """
        chosen = torch.tensor(numbers, dtype=torch.int64, device=self.layout.device)
        for layer in self.self_attention:
            _reorder(layer, lambda rows: _selected(rows, self.room, self.layout.longest, chosen))
        self.layout = _of(self.layout, numbers)
        if memory is None:
            return None
        if isinstance(memory, Roomy):
            room, device = memory.room, memory.device
            for layer in self.cross_attention:
                _reorder(layer, lambda rows: _selected(rows, room, room, chosen))
            return Roomy(_of(memory, numbers).lengths, device=device, room=room)
        places = torch.arange(memory.tokens, device=memory.device).split(memory.lengths)
        order = torch.cat([places[number] for number in numbers])
        for layer in self.cross_attention:
            _reorder(layer, lambda rows: rows.index_select(0, order))
        return _of(memory, numbers)

    def settle(self, memory: Layout) -> Layout:
        """Lays the keys of cross-attention so that no step has to pad them again.

        Graphics processors have a kernel that wants them end to end: there they stay as they are.
        """
        if memory.device.type == "cuda":
            return memory
        for layer in self.cross_attention:
            _reorder(layer, lambda rows: memory.pad(rows).flatten(0, 1))
        return Roomy(memory.lengths, device=memory.device, room=memory.longest)


def _reorder(layer: LayerCache, how: Callable[[Tensor], Tensor]) -> None:
    if layer.keys is not None and layer.values is not None:
        layer.keys, layer.values = how(layer.keys), how(layer.values)


def _selected(rows: Tensor, room: int, used: int, chosen: Tensor) -> Tensor:
    """Some sequences of [sequences * room, ...], with what the first `used` rows of each hold."""
    old = rows.unflatten(0, (-1, room))
    new = old.new_zeros(len(chosen), *old.shape[1:])
    new[:, :used] = old[:, :used].index_select(0, chosen)
    return new.flatten(0, 1)


def _of(layout: Layout, numbers: Iterable[int]) -> Layout:
    return Layout(tuple(layout.lengths[number] for number in numbers), device=layout.device)
