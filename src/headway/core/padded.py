"""A batch in a rectangle, for programs that are traced once and run on batches of any shape.

Ragged execution needs lengths as numbers; a traced program has them as data. Here a batch is
[sequences, longest] with a mask, as other programs hand it over, and the same bricks run on all of
its slots: what stands in a slot of padding is never looked at by a token.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.masks import Pattern

__all__ = ["PaddedLayout", "added", "aligned", "padded"]


class PaddedLayout(Layout):
    """The layout of the slots of a padded batch, row by row; padding stands behind the tokens.

    Args:
        mask: bool [sequences, longest], True = a token.

    >>> PaddedLayout(torch.tensor([[True, True], [True, False]])).lasts
    tensor([1, 2])
    """

    def __init__(self, mask: Tensor) -> None:
        super().__init__((), (), mask.device)
        object.__setattr__(self, "mask", mask)

    mask: Tensor

    @property
    def longest(self) -> int:
        """No program knows: as long as can be."""
        return sys.maxsize

    @property
    def uniform(self) -> bool:
        """No program knows."""
        return False

    @property
    def counts(self) -> Tensor:
        """How many tokens each sequence has, int64 [sequences]."""
        return self.mask.sum(dim=1)

    @property
    def places(self) -> Tensor:
        """The number of each slot in its sequence, int64 [longest]."""
        return torch.arange(self.mask.shape[1], device=self.device)

    @property
    def positions(self) -> Tensor:
        """The same for each row, int64 [sequences * longest]."""
        return self.places.expand(self.mask.shape).flatten()

    @property
    def sequence(self) -> Tensor:
        """The sequence that each row belongs to, int64 [sequences * longest]."""
        numbers = torch.arange(self.mask.shape[0], device=self.device)
        return numbers[:, None].expand(self.mask.shape).flatten()

    @property
    def firsts(self) -> Tensor:
        """The row of each sequence's first token, int64 [sequences]."""
        return torch.arange(self.mask.shape[0], device=self.device) * self.mask.shape[1]

    @property
    def lasts(self) -> Tensor:
        """The row of each sequence's last token, int64 [sequences]."""
        return self.firsts + self.counts - 1

    def sums(self, rows: Tensor) -> Tensor:
        """The sum over each sequence's tokens: [slots, ...] -> [sequences, ...]."""
        return self.pad(rows).masked_fill(~self._mask_of(rows), 0.0).sum(dim=1)

    def largest(self, rows: Tensor) -> Tensor:
        """The largest value over each sequence's tokens: [slots, size] -> [sequences, size]."""
        return self.pad(rows).masked_fill(~self._mask_of(rows), float("-inf")).amax(dim=1)

    def pad(self, rows: Tensor) -> Tensor:
        """Rows [slots, ...] as [sequences, longest, ...]; padding keeps what stands there."""
        return rows.unflatten(0, self.mask.shape)

    def unpad(self, padded: Tensor) -> Tensor:
        """The inverse of `pad`."""
        return padded.flatten(0, 1)

    def _mask_of(self, rows: Tensor) -> Tensor:
        return self.mask if rows.dim() == 1 else self.mask[:, :, None]


def aligned(mask: Tensor) -> Tensor:
    """Where each slot goes so that tokens come first and padding behind, int64 as the mask.

    >>> aligned(torch.tensor([[False, True, False, True]]))
    tensor([[2, 0, 3, 1]])
    """
    real, rest = mask.long(), 1 - mask.long()
    behind = real.sum(dim=1, keepdim=True) + rest.cumsum(dim=1)
    return torch.where(mask, real.cumsum(dim=1), behind) - 1


def padded(q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, *, scale: float) -> Tensor:
    """The attention kernel of padded batches; shapes as in `kernels`, with slots for tokens."""
    groups = q.shape[1] // k.shape[1]
    k, v = (_repeated(pattern.keys.pad(part).transpose(1, 2), groups) for part in (k, v))
    scores = (pattern.queries.pad(q).transpose(1, 2) * scale) @ k.transpose(2, 3)
    mixed = (scores + added(pattern, q.dtype)).softmax(dim=-1) @ v
    return pattern.queries.unpad(mixed.transpose(1, 2))


def added(pattern: Pattern, dtype: torch.dtype) -> Tensor:
    """What is added to the scores: [sequences, heads or 1, q, k].

    What may not be seen gets the lowest number there is, not -inf: a slot of padding may see
    nothing at all, and its result would not be a number.
    """
    queries, keys = pattern.queries, pattern.keys
    assert isinstance(queries, PaddedLayout)  # one layout is never padded and the other not
    assert isinstance(keys, PaddedLayout)
    places = queries.places[:, None], keys.places
    seen = pattern.mask(*places) & keys.mask[:, None, :]  # [sequences, q, k]
    bias = torch.zeros(1, 1, 1) if pattern.bias is None else pattern.bias(*places)  # [heads, q, k]
    return bias.to(dtype).masked_fill(~seen[:, None], torch.finfo(dtype).min)


def _repeated(x: Tensor, groups: int) -> Tensor:
    """[sequences, heads, longest, size] with each head so many times in a row."""
    if groups == 1:
        return x
    return x.unsqueeze(2).expand(-1, -1, groups, -1, -1).flatten(1, 2)
