"""Ragged batches: sequences laid end to end, and the layout that says where each one lies.

A batch of three texts of 4, 2 and 3 tokens is one tensor of 9 rows and `Layout((4, 2, 3))`.
There is no padding id, so none can leak into a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

__all__ = ["Layout", "gather", "scatter"]

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Layout:
    """Which rows of a `[tokens, ...]` tensor belong to which sequence.

    Args:
        lengths: the number of tokens of each sequence, in the order they are laid.
        past: for each sequence, how many of its tokens came in earlier calls (cached decoding).
        device: where the index tensors live.

    >>> Layout((2, 3)).positions
    tensor([0, 1, 0, 1, 2])
    """

    lengths: tuple[int, ...]
    past: tuple[int, ...] = ()
    device: torch.device = CPU

    def __post_init__(self) -> None:
        if not self.past:
            object.__setattr__(self, "past", (0,) * len(self.lengths))
        if len(self.past) != len(self.lengths) or any(n < 0 for n in self.lengths):
            raise ValueError(f"a layout of {self.lengths} tokens after {self.past} cannot be")

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]], device: torch.device | None = None) -> Layout:
        """The layout of these id lists."""
        return cls(tuple(len(ids) for ids in sequences), device=device or CPU)

    @property
    def tokens(self) -> int:
        """How many rows there are."""
        return sum(self.lengths)

    @property
    def longest(self) -> int:
        """The length of the longest sequence."""
        return max(self.lengths, default=0)

    @property
    def uniform(self) -> bool:
        """Whether all sequences have the same length, so that padding is a mere view."""
        return len(set(self.lengths)) <= 1

    @cached_property
    def counts(self) -> Tensor:
        """`lengths` as a tensor, int64 [sequences]."""
        return torch.tensor(self.lengths, dtype=torch.int64, device=self.device)

    @cached_property
    def boundaries(self) -> Tensor:
        """The row where each sequence starts, and the end, int64 [sequences + 1]."""
        return torch.nn.functional.pad(self.counts.cumsum(0), (1, 0))

    @cached_property
    def sequence(self) -> Tensor:
        """The sequence that each row belongs to, int64 [tokens]."""
        numbers = torch.arange(len(self.lengths), device=self.device)
        return torch.repeat_interleave(numbers, self.counts, output_size=self.tokens)

    @cached_property
    def within(self) -> Tensor:
        """The place of each row in its sequence of this call, int64 [tokens]."""
        rows = torch.arange(self.tokens, device=self.device)
        return rows - self.boundaries[self.sequence]

    @cached_property
    def positions(self) -> Tensor:
        """The place of each row in its whole text, earlier calls counted, int64 [tokens]."""
        if not any(self.past):
            return self.within
        past = torch.tensor(self.past, dtype=torch.int64, device=self.device)
        return self.within + past[self.sequence]

    @cached_property
    def slots(self) -> Tensor:
        """The place of each row in a padded batch that is flattened, int64 [tokens]."""
        return self.sequence * self.longest + self.within

    @property
    def firsts(self) -> Tensor:
        """The row of each sequence's first token, int64 [sequences]."""
        return self.boundaries[:-1]

    @cached_property
    def ones(self) -> Layout:
        """That of the first tokens alone."""
        return Layout((1,) * len(self.lengths), device=self.device)

    @property
    def lasts(self) -> Tensor:
        """The row of each sequence's last token, int64 [sequences]."""
        return self.boundaries[1:] - 1

    def sums(self, rows: Tensor) -> Tensor:
        """The sum over each sequence's rows: [tokens, ...] -> [sequences, ...]."""
        total = rows.new_zeros(len(self.lengths), *rows.shape[1:])
        return total.index_add(0, self.sequence, rows)

    def largest(self, rows: Tensor) -> Tensor:
        """The largest value over each sequence's rows: [tokens, size] -> [sequences, size]."""
        index = self.sequence[:, None].expand_as(rows)
        lowest = rows.new_full((len(self.lengths), rows.shape[-1]), float("-inf"))
        return lowest.scatter_reduce(0, index, rows, "amax")

    def split(self, rows: Tensor) -> list[Tensor]:
        """Rows [tokens, ...] as one tensor a sequence, without copying."""
        return list(rows.split(self.lengths))

    def pad(self, rows: Tensor) -> Tensor:
        """Rows [tokens, ...] as [sequences, longest, ...], zeros behind each sequence's end."""
        shape = (len(self.lengths), self.longest, *rows.shape[1:])
        return rows.view(shape) if self.uniform else scatter(rows, self.slots, shape)

    def pad_to(self, width: int, rows: Tensor) -> Tensor:
        """The same as [sequences, width, ...], for a width of at least `longest`."""
        if width == self.longest:
            return self.pad(rows)
        slots = self.sequence * width + self.within
        return scatter(rows, slots, (len(self.lengths), width, *rows.shape[1:]))

    def unpad(self, padded: Tensor) -> Tensor:
        """The inverse of `pad`: [sequences, longest, ...] as rows [tokens, ...]."""
        flat = padded.flatten(0, 1)
        return flat if self.uniform else gather(flat, self.slots)


class _Scatter(torch.autograd.Function):
    """Scatter whose gradient is a gather: every slot is written once, nothing is summed."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, slots: Tensor, shape: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(slots)
        flat = rows.new_zeros((shape[0] * shape[1], *shape[2:]))
        return flat.index_copy_(0, slots, rows).view(shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slots,) = ctx.saved_tensors
        return gradient.flatten(0, 1).index_select(0, slots), None, None


class _Gather(torch.autograd.Function):
    """Gather whose gradient is a scatter without sums."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, slots: Tensor) -> Tensor:
        ctx.save_for_backward(slots)
        ctx.size = flat.shape[0]
        return flat.index_select(0, slots)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (slots,) = ctx.saved_tensors
        flat = gradient.new_zeros((ctx.size, *gradient.shape[1:]))
        return flat.index_copy_(0, slots, gradient), None


scatter: Callable[[Tensor, Tensor, tuple[int, ...]], Tensor] = _Scatter.apply
"""Rows [n, ...], the slot of each, a shape whose first two sizes are slots: zeros elsewhere."""

gather: Callable[[Tensor, Tensor], Tensor] = _Gather.apply
"""Rows [slots, ...] and the slots wanted, none twice: [n, ...]."""
