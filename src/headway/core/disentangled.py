"""Disentangled attention: content looks at content, content at distance, and distance at content.

With q and k the query and the key of two tokens, and K and Q the key and the query of the distance
from one to the other, a score is (q k' + q K' + k Q') * scale. The paper calls the last two terms
c2p and p2c. Kernels compute it and are proven equal: `eager`, sequence by sequence, which shows or
edits the map, `batched`, and `rectangular` in programs that are traced.

Shapes: q, k, v [tokens, heads, size]; K, Q [rows, heads, size]; results as q.
Source: He et al. 2020, arXiv 2006.03654; log-wide buckets: He et al. 2021, arXiv 2111.09543.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from headway.core.attention import equal_parts
from headway.core.dropout import Dropout, dropout
from headway.core.kernels import MAP_ELEMENTS
from headway.core.linear import FusedLinear
from headway.core.masks import Pattern
from headway.core.padded import PaddedLayout
from headway.core.padded import added as added_to_slots
from headway.core.taps import Tap
from headway.errors import CheckpointError

__all__ = [
    "TERMS",
    "DisentangledAttention",
    "Distances",
    "RelativeVectors",
    "batched",
    "eager",
    "rectangular",
]

TERMS = ("c2p", "p2c")
"""What a score may have beside content to content: content to position, position to content."""


class RelativeVectors(nn.Module):
    """One learned vector for each distance from key to query; a table for all blocks.

    Args:
        hidden: size of a vector.
        farthest: distance, in tokens, from which on all share a vector.
        buckets: how many vectors each direction has, half of them for exact distances and the rest
            log-wide up to `farthest`; None = one for each distance.
        norm: on the vectors, or None.

    Raises:
        CheckpointError: buckets that leave no room for wide ones.

    >>> table = RelativeVectors(8, farthest=16, buckets=4)
    >>> table.row(torch.tensor([-20, -3, -1, 0, 1, 3, 20]))
    tensor([0, 1, 3, 4, 5, 7, 7])
    """

    def __init__(
        self,
        hidden: int,
        *,
        farthest: int,
        buckets: int | None = None,
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if buckets is not None and not 1 <= buckets // 2 < farthest - 1:
            raise CheckpointError(
                f"relative positions in {buckets} buckets up to distance {farthest} cannot be",
                allowed=f"2 buckets or more, and a distance beyond {max(1, buckets // 2) + 1}",
            )
        self.farthest, self.buckets = farthest, buckets
        self.span = farthest if buckets is None else buckets
        self.vectors = nn.Embedding(2 * self.span, hidden)
        self.norm = norm

    def row(self, distances: Tensor) -> Tensor:
        """The row of each distance, query minus key; int64, same shape."""
        steps = distances
        if self.buckets is not None:
            exact = self.buckets // 2
            far = distances.abs().clamp(min=exact)
            # Single precision, in the reference's order: rounding decides where a bucket starts.
            whole = torch.log(torch.tensor((self.farthest - 1) / exact))
            wide = torch.ceil(torch.log(far / exact) / whole * (exact - 1)) + exact
            steps = torch.where(far == exact, distances, wide.long() * distances.sign())
        return (steps + self.span).clamp(0, 2 * self.span - 1)

    def forward(self, longest: int) -> tuple[Tensor, Tensor]:
        """What sequences of up to `longest` tokens need.

        Returns:
            The vectors of all their distances, [rows, hidden], and which of them belongs to each
            query position and key position, int64 [longest, longest].
        """
        rows = self.row(torch.arange(1 - longest, longest, device="cpu"))  # of each distance
        first, last = int(rows[0]), int(rows[-1])
        vectors = self.vectors.weight[first : last + 1]
        if self.norm is not None:
            vectors = self.norm(vectors)
        positions = torch.arange(longest, device=vectors.device)
        distances = positions[:, None] - positions  # [longest, longest]
        return vectors, (rows - first).to(vectors.device)[distances + longest - 1]

    def of_places(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """As for so many tokens, of all vectors there are: int64 [longest] -> the same."""
        vectors = self.vectors.weight
        if self.norm is not None:
            vectors = self.norm(vectors)
        return vectors, self.row(places[:, None] - places)


@dataclass(frozen=True)
class Distances:
    """What distances bring to the scores of one pass through one block.

    Args:
        keys: what content looks at, [rows, heads, size]; None leaves the term out.
        queries: what looks at content, the same.
        rows: the row of each query position and key position, int64 [longest, longest].
    """

    keys: Tensor | None
    queries: Tensor | None
    rows: Tensor


class DisentangledAttention(nn.Module):
    """Each token looks at the tokens of its sequence, and at how far they are.

    Args:
        hidden: size of a hidden state.
        heads: attention heads.
        positions: the vectors of distances; one module for all blocks.
        terms: those of TERMS that scores have.
        own_projections: whether vectors of distances have linear layers of their own; else they
            share those of the tokens.
        dropout: rate on the attention map.
        position_dropout: rate on the vectors of distances.
    """

    def __init__(
        self,
        hidden: int,
        heads: int,
        positions: RelativeVectors,
        *,
        terms: Collection[str] = TERMS,
        own_projections: bool = False,
        dropout: float = 0.0,
        position_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.head_size = equal_parts(hidden, heads)
        self.scale = (self.head_size * (1 + len(terms))) ** -0.5
        self.terms = frozenset(terms)
        self.own_projections = own_projections
        self.dropout = Dropout(dropout)
        self.positions = positions
        self.position_dropout = Dropout(position_dropout)
        self.qkv = FusedLinear(hidden, (hidden, hidden, hidden))
        own_key, own_query = (own_projections and term in terms for term in TERMS)
        self.position_key = nn.Linear(hidden, hidden) if own_key else None
        self.position_query = nn.Linear(hidden, hidden) if own_query else None
        self.output = nn.Linear(hidden, hidden)
        self.map = Tap()

    def forward(
        self,
        x: Tensor,
        pattern: Pattern,
        *,
        angles: None = None,
        cache: None = None,
        extension: None = None,
    ) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]; what decoders hand on besides is not there."""
        q, k, v = (self._heads(part) for part in self.qkv.separate(x))
        drop = self.dropout.now
        if isinstance(pattern.queries, PaddedLayout):
            distances = self.distances(self.positions.of_places(pattern.queries.places))
            mixed = rectangular(q, k, v, pattern, distances, scale=self.scale)
            return self.output(mixed.flatten(1))
        distances = self.distances(self.positions(pattern.queries.longest))
        if self.map.watched:
            mixed = eager(
                q, k, v, pattern, distances, scale=self.scale, drop=drop, map_tap=self.map
            )
        else:
            mixed = batched(q, k, v, pattern, distances, scale=self.scale, drop=drop)
        return self.output(mixed.flatten(1))

    def distances(self, positions: tuple[Tensor, Tensor]) -> Distances:
        """Keys and queries of distances, from their vectors and which belongs to which pair."""
        vectors, rows = positions
        vectors = self.position_dropout(vectors)
        if self.own_projections:
            layers = self.position_key, self.position_query
            sides = [None if layer is None else layer(vectors) for layer in layers]
        else:
            query, key = self.qkv.separate_leading(vectors, 2)
            sides = [key, query]
        keys, queries = (
            None if side is None or term not in self.terms else self._heads(side)
            for term, side in zip(TERMS, sides, strict=True)
        )
        return Distances(keys, queries, rows)

    def _heads(self, states: Tensor) -> Tensor:
        """[rows, hidden] -> [rows, heads, size]."""
        return states.unflatten(-1, (-1, self.head_size))


def eager(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pattern: Pattern,
    distances: Distances,
    *,
    scale: float,
    drop: float = 0.0,
    map_tap: Tap | None = None,
) -> Tensor:
    """The formula, sequence by sequence."""
    maps = []
    for query, key, added in zip(
        pattern.queries.split(q), pattern.keys.split(k), pattern.per_sequence, strict=True
    ):
        rows = distances.rows[: len(query), : len(key)]  # [q, k]
        scores = torch.einsum("qhd,khd->hqk", query, key)
        if distances.keys is not None:
            at_rows = torch.einsum("qhd,rhd->hqr", query, distances.keys)
            scores = scores + _picked(at_rows, rows)
        if distances.queries is not None:
            at_rows = torch.einsum("khd,rhd->hkr", key, distances.queries)
            scores = scores + _picked(at_rows, rows.T).transpose(1, 2)
        maps.append((scores * scale + added.to(q.dtype)).softmax(dim=-1))  # [heads, q, k]
    if map_tap is not None:
        maps = map_tap(maps)
    mixed = [
        torch.einsum("hqk,khd->qhd", dropout(weights, drop), value)
        for weights, value in zip(maps, pattern.keys.split(v), strict=True)
    ]
    return torch.cat(mixed)


def batched(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    pattern: Pattern,
    distances: Distances,
    *,
    scale: float,
    drop: float = 0.0,
) -> Tensor:
    """Pads q, k and v, and takes matrix products over some sequences at a time, so that maps stay
    in the processor's cache; where that takes several times, maps are made again for the backward
    pass rather than kept."""
    queries = pattern.queries.pad(q * scale).transpose(1, 2)  # [sequences, heads, longest, size]
    keys = pattern.keys.pad(k).transpose(1, 2)
    values = pattern.keys.pad(v).transpose(1, 2)
    added = None if pattern.padded is None else pattern.padded.to(q.dtype)
    position_keys, position_queries = _turned(distances, scale)
    at_once = max(1, MAP_ELEMENTS // (q.shape[1] * queries.shape[2] * keys.shape[2]))
    if at_once >= len(queries):
        inputs = queries, keys, values, added, position_keys, position_queries
        mixed = _products(*inputs, distances.rows, drop)
    else:
        parts = []
        for first in range(0, len(queries), at_once):
            part = slice(first, first + at_once)
            bias = added if added is None or len(added) == 1 else added[part]
            own = queries[part], keys[part], values[part], bias
            common = position_keys, position_queries, distances.rows, drop
            parts.append(checkpoint(_products, *own, *common, use_reentrant=False))
        mixed = torch.cat(parts)
    return pattern.queries.unpad(mixed.transpose(1, 2))


def rectangular(
    q: Tensor, k: Tensor, v: Tensor, pattern: Pattern, distances: Distances, *, scale: float
) -> Tensor:
    """As `batched`, on the slots of a `PaddedLayout`, for programs that are traced."""
    queries = pattern.queries.pad(q * scale).transpose(1, 2)  # [sequences, heads, longest, size]
    keys = pattern.keys.pad(k).transpose(1, 2)
    values = pattern.keys.pad(v).transpose(1, 2)
    inputs = queries, keys, values, added_to_slots(pattern, q.dtype)
    mixed = _products(*inputs, *_turned(distances, scale), distances.rows, 0.0)
    return pattern.queries.unpad(mixed.transpose(1, 2))


def _turned(distances: Distances, scale: float) -> tuple[Tensor | None, Tensor | None]:
    """Keys, and queries that are scaled, [heads, size, rows]."""
    to_rows, from_rows = distances.keys, distances.queries
    return (
        None if to_rows is None else to_rows.permute(1, 2, 0),
        None if from_rows is None else (from_rows * scale).permute(1, 2, 0),
    )


def _products(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    added: Tensor | None,
    position_keys: Tensor | None,
    position_queries: Tensor | None,
    rows: Tensor,
    drop: float,
) -> Tensor:
    """The formula on padded sequences: q, scaled already, k and v [sequences, heads, tokens, size];
    of distances the keys, and the queries, scaled already, [heads, size, rows]."""
    scores = q @ k.transpose(-1, -2)  # [sequences, heads, q, k]
    if position_keys is not None:
        scores = scores + _picked(q @ position_keys, rows)
    if position_queries is not None:
        scores = scores + _picked(k @ position_queries, rows.T).transpose(-1, -2)
    if added is not None:
        scores = scores + added
    return dropout(scores.softmax(dim=-1), drop) @ v


def _picked(scores: Tensor, rows: Tensor) -> Tensor:
    """Scores with all rows [..., tokens, rows] as scores with other tokens [..., tokens, others];
    `rows` [tokens, others] says which row is that of a pair."""
    return scores.gather(-1, rows.expand(*scores.shape[:-2], *rows.shape))
