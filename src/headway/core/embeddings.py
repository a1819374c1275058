"""From token ids to the first hidden states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout
from headway.core.positions import LearnedPositions
from headway.core.taps import Tap

__all__ = ["Embeddings"]


class Embeddings(nn.Module):
    """Sum of a word's vector and, where the family has them, its position's and its segment's.

    Args:
        words: vocabulary table.
        positions: learned positions, or None.
        segments: table of segments (first text, second text), or None.
        word_segments: whether a segment is a word instead, whose vector is added where segments
            are given (GPT); such a stack has no table of segments.
        norm: behind the sum, or None.
        scale: what a word's vector is multiplied by first.
        dropout: rate behind the norm.
        projection: behind all, from the size of these vectors to the hidden size, or None.
    """

    def __init__(
        self,
        words: nn.Embedding,
        *,
        positions: LearnedPositions | None = None,
        segments: nn.Embedding | None = None,
        word_segments: bool = False,
        norm: nn.Module | None = None,
        scale: float = 1.0,
        dropout: float = 0.0,
        projection: nn.Linear | None = None,
    ) -> None:
        super().__init__()
        self.words = words
        self.positions = positions
        self.segments = segments
        self.word_segments = word_segments
        self.norm = norm
        self.scale = scale
        self.dropout = Dropout(dropout)
        self.projection = projection
        self.out = Tap()

    def forward(self, ids: Tensor, layout: Layout, segments: Tensor | None = None) -> Tensor:
        """int64 [tokens] -> [tokens, hidden]; without `segments` all are of the first text, or,
        where these are words, of none."""
        x = self.words(ids)
        if self.scale != 1.0:
            x = x * self.scale
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(ids) if segments is None else segments)
        elif self.word_segments and segments is not None:
            x = x + self.words(segments)
        if self.positions is not None:
            x = x + self.positions(layout.positions)
        if self.norm is not None:
            x = self.norm(x)
        x = self.dropout(x)
        if self.projection is not None:
            x = self.projection(x)
        return self.out(x)
