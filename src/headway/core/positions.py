"""Where a token stands: learned positions, rotary positions, relative bias.

Sources: learned, Devlin et al. 2018; rotary, Su et al. 2021 (arXiv 2104.09864); relative bias,
Raffel et al. 2019 (arXiv 1910.10683, section 2.1).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from headway.errors import CheckpointError

__all__ = [
    "LearnedPositions",
    "RelativeBias",
    "Rotary",
    "SinusoidalPositions",
    "StaticPositions",
    "llama3_frequencies",
    "rotary_frequencies",
    "sinusoids",
]


class LearnedPositions(nn.Embedding):
    """One learned vector a position.

    Args:
        count: how many positions the table has, the offset included.
        hidden: size of a vector.
        offset: number of the first position (RoBERTa counts from padding id + 1).
    """

    def __init__(self, count: int, hidden: int, *, offset: int = 0) -> None:
        super().__init__(count, hidden)
        self.offset = offset

    def forward(self, positions: Tensor) -> Tensor:
        """int64 [tokens] -> [tokens, hidden]."""
        return super().forward(positions + self.offset)


class SinusoidalPositions(LearnedPositions):
    """Learned positions that start as sines and cosines (DistilBERT's option)."""

    def table(self) -> Tensor:
        """What the table starts as; float32 [count, hidden]."""
        return sinusoids(self.num_embeddings, self.embedding_dim)

    def reset_parameters(self) -> None:
        """Puts the table back to its start."""
        if self.weight.is_meta:  # no memory for the table, nor for what would be copied into it
            return
        with torch.no_grad():
            self.weight.copy_(self.table())


class StaticPositions(SinusoidalPositions):
    """Sines and cosines that are never trained; a checkpoint may hold them or not (Marian).

    The sines are the first half of a vector, the cosines the second.

    Args: as LearnedPositions.

    >>> StaticPositions(2, 4).table()[1]  # sin 1, sin 0.01, cos 1, cos 0.01
    tensor([0.8415, 0.0100, 0.5403, 0.9999])
    """

    def __init__(self, count: int, hidden: int, *, offset: int = 0) -> None:
        super().__init__(count, hidden, offset=offset)
        self.weight.requires_grad_(False)

    def table(self) -> Tensor:
        """All that it can hold; float32 [count, hidden]."""
        mixed = super().table()
        return torch.cat([mixed[:, 0::2], mixed[:, 1::2]], dim=1)  # [count, hidden]


def sinusoids(count: int, hidden: int) -> Tensor:
    """Sines and cosines of each position at slower and slower speeds; float32 [count, hidden].

    >>> sinusoids(2, 4)[1]  # sin 1, cos 1, sin 0.01, cos 0.01
    tensor([0.8415, 0.5403, 0.0100, 0.9999])

    Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.5.
    """
    pairs = torch.arange(hidden, device="cpu") // 2 * 2  # 0 0 2 2 4 4 ...
    speeds = 10000.0 ** (-pairs.double() / hidden)
    angles = torch.arange(count, device="cpu")[:, None] * speeds  # [count, hidden]
    even = torch.arange(hidden, device="cpu") % 2 == 0
    return torch.where(even, angles.sin(), angles.cos()).float()


def rotary_frequencies(size: int, base: float) -> Tensor:
    """The angle a pair of dimensions turns by per position, float32 [size / 2].

    Raises:
        CheckpointError: the size of a head is odd, so that its dimensions make no pairs.
    """
    if size % 2:
        raise CheckpointError(f"heads of size {size} cannot turn", allowed="an even size")
    return 1.0 / base ** (torch.arange(0, size, 2, device="cpu").float() / size)


def llama3_frequencies(
    size: int, base: float, *, factor: float, low: float, high: float, original: int
) -> Tensor:
    """Frequencies stretched for longer texts: slow turns divided by `factor`, fast ones kept.

    Args:
        size: size of a head.
        base: base of the plain frequencies.
        factor: how many times longer texts may be.
        low: turns within the original length below which a frequency is divided.
        high: turns above which it is kept; between the two it is blended.
        original: length, in tokens, the model was trained for first.

    Source: Llama 3.1's released configuration ("rope_type": "llama3").
    """
    plain = rotary_frequencies(size, base)
    turns = original * plain / (2 * math.pi)
    blend = ((turns - low) / (high - low)).clamp(0.0, 1.0)
    return (1 - blend) * plain / factor + blend * plain


class Rotary(nn.Module):
    """Turns queries and keys by an angle that grows with their position, pairs (i, i + size / 2).

    Args:
        frequencies: float32 [size / 2].
    """

    def __init__(self, frequencies: Tensor) -> None:
        super().__init__()
        # Not a buffer: a model moved to half precision would round the angles of far positions.
        self.frequencies = frequencies

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin of each position's angles, float32 [tokens, 1, size / 2] both."""
        frequencies = self.frequencies.to(positions.device)
        angles = positions[:, None, None].float() * frequencies  # [tokens, 1, size / 2]
        return angles.cos(), angles.sin()

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
        """[tokens, heads, size], turned."""
        cos, sin = (part.to(x.dtype) for part in angles)
        first, second = x.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class RelativeBias(nn.Module):
    """Adds a learned number to each score, by the distance from query to key in log-wide buckets.

    Args:
        heads: attention heads, one number each.
        buckets: how many buckets.
        farthest: distance, in tokens, from which on everything falls in the last bucket.
        both_ways: whether keys behind the query have buckets of their own (encoders).
    """

    def __init__(self, heads: int, *, buckets: int, farthest: int, both_ways: bool) -> None:
        super().__init__()
        near = buckets // 4 if both_ways else buckets // 2
        if near < 1 or farthest <= near:
            raise CheckpointError(
                f"relative positions in {buckets} buckets up to distance {farthest} cannot be",
                allowed=f"4 buckets or more, and a distance beyond {max(near, 1)}",
            )
        self.values = nn.Embedding(buckets, heads)
        self.buckets, self.farthest, self.both_ways = buckets, farthest, both_ways

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Positions int64 [..., q, 1] and [k] -> float [..., heads, q, k]."""
        distance = keys - queries  # [..., q, k]; negative = the key is before
        bias: Tensor = self.values(self.bucket(distance))  # [..., q, k, heads]
        return bias.movedim(-1, -3)

    def bucket(self, distance: Tensor) -> Tensor:
        """The bucket of each distance: half of them exact, the rest log-wide; int64, same shape."""
        count = self.buckets
        start = torch.zeros_like(distance)
        if self.both_ways:
            count //= 2
            start = (distance > 0).long() * count
            distance = distance.abs()
        else:
            distance = (-distance).clamp(min=0)
        exact = count // 2
        scale = (count - exact) / math.log(self.farthest / exact)
        wide = exact + (torch.log(distance.float() / exact) * scale).long().clamp(
            max=count - exact - 1
        )
        return start + torch.where(distance < exact, distance, wide)
