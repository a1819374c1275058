"""A decoder that reads texts piece by piece and remembers them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headway.core.cache import Cache
from headway.core.layout import Layout
from headway.core.stacks import Decoder
from headway.generate.lean import Lean

__all__ = ["Reader"]

Chunks = Sequence[Sequence[int]]
"""The new tokens of each text, possibly none."""


class Reader:
    """One batch of texts before a decoder.

    Args:
        decoder: the stack.
        head: hidden states -> logits over the vocabulary.
        texts: how many are read at once.
        memory: an encoder's output and its layout, for encoder-decoders.
        segments: of each text's first tokens, the others have that of the last of them; or None.
    """

    def __init__(
        self,
        decoder: Decoder,
        head: nn.Module,
        texts: int,
        *,
        memory: tuple[Tensor, Layout] | None = None,
        segments: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self.decoder = decoder
        self.head = head
        self.memory = memory
        self.segments = segments
        self.device = next(decoder.parameters()).device
        self.cache = Cache(texts, len(decoder.layers), device=self.device)
        self.lean = Lean.of(decoder) if memory is None else None

    @property
    def lengths(self) -> tuple[int, ...]:
        """How many tokens of each text were read."""
        return self.cache.layout.lengths

    def states(self, chunks: Chunks) -> tuple[Tensor, Layout]:
        """Reads on: hidden states of the new tokens [tokens, hidden], and how they lie."""
        layout = Layout.of(chunks, self.device)
        first = not any(self.lengths)
        marks = self._marks(layout)
        if self.lean is not None and not first and set(layout.lengths) == {1} and self.lean.usable:
            return self.lean([chunk[0] for chunk in chunks], self.cache, marks), layout
        ids = torch.tensor([token for chunk in chunks for token in chunk], device=self.device)
        states = self.decoder(ids, layout, marks, cache=self.cache, memory=self.memory)
        if first and self.memory is not None:
            self.memory = self.memory[0], self.cache.settle(self.memory[1])
        return states, layout

    def logits(self, states: Tensor) -> Tensor:
        """[n, hidden] -> float32 [n, vocabulary]."""
        made: Tensor = self.head(states, Layout((1,) * len(states), device=self.device))
        return made.float()

    def last(self, chunks: Chunks) -> Tensor:
        """Reads on: logits behind each text's last token, float32 [texts, vocabulary].

        Args:
            chunks: one token or more of each text.
        """
        states, layout = self.states(chunks)
        if layout.tokens > len(chunks):
            states = states[layout.boundaries[1:] - 1]
        return self.logits(states)

    def select(self, numbers: Sequence[int]) -> None:
        """Goes on with these texts in this order; one may be named several times, or never."""
        if list(numbers) == list(range(len(self.lengths))):
            return
        if self.segments is not None:
            self.segments = [self.segments[number] for number in numbers]
        lies = self.memory[1] if self.memory is not None else None
        chosen = self.cache.select(numbers, lies)
        if self.memory is not None and chosen is not None:
            self.memory = self.memory[0], chosen

    def rewind(self, lengths: Sequence[int]) -> None:
        """Forgets what was read of each text beyond so many tokens."""
        self.cache.rewind(lengths)

    def _marks(self, layout: Layout) -> Tensor | None:
        """Segments of the new tokens, int64 [tokens]."""
        if self.segments is None:
            return None
        found: list[int] = []
        for marks, start, count in zip(self.segments, self.lengths, layout.lengths, strict=True):
            known = marks[start : start + count]
            found += [*known, *[marks[-1]] * (count - len(known))]
        return torch.tensor(found, device=self.device)
