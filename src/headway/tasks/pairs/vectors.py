"""Two texts that are read each for itself, and what a model's vectors say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from headway.core.layout import Layout
from headway.core.pooling import POOLINGS, mean
from headway.model import Model
from headway.tasks.task import Meaning
from headway.training.collate import Batch, Ready, window_states
from headway.windows import Windowed, window_texts

__all__ = ["ComparesVectors", "Pair", "batch_vectors", "read_pairs", "unit", "vectors_of"]

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pair(Windowed):
    """Two texts, the windows of one behind those of the other.

    Attributes:
        first: how many windows are the first text's.
        texts: the two as they were given.
        lengths: how many tokens each has.
    """

    first: int = 1
    texts: tuple[str, str] = ("", "")
    lengths: tuple[int, int] = (0, 0)

    @property
    def longest(self) -> int:
        return max(self.lengths)

    @property
    def most_windows(self) -> int:
        return max(self.first, len(self.ids) - self.first)

    @property
    def sides(self) -> tuple[Windowed, Windowed]:
        """Each for itself; its tokens are not known any more."""
        cut = self.first
        return (
            Windowed(self.ids[:cut], self.segments[:cut], 0),
            Windowed(self.ids[cut:], self.segments[cut:], 0),
        )

    def drawn(self, chance: Random, most: int | None) -> list[int]:
        """At most so many windows of each text."""
        sides = range(self.first), range(self.first, len(self.ids))
        return [
            number
            for side in sides
            for number in sorted(chance.sample(side, min(most or len(side), len(side))))
        ]


@runtime_checkable
class ComparesVectors(Protocol):
    """A task whose loss compares each row of a step with all the others."""

    def vectors(self, model: Model, ready: Ready) -> tuple[Tensor, Tensor]:
        """Of the first and the second texts, each [pairs, hidden]."""

    def compare_vectors(
        self, first: Tensor, second: Tensor, values: Tensor, meaning: Meaning
    ) -> tuple[Tensor, ...]:
        """The sum of each term of the loss; `values` are those of all pairs."""


def read_pairs(
    model: Model,
    pairs: Sequence[tuple[str, str]],
    *,
    size: int | None,
    stride: int | None,
    first: int = 0,
) -> list[Pair]:
    """Both texts of each pair in windows, behind the prompt that the checkpoint declares."""
    tokenizer, how = model.need_tokenizer(), model.checkpoint.embedding
    firsts, seconds = (
        window_texts(
            tokenizer,
            how.prompted([pair[side] for pair in pairs]),
            size=size,
            stride=stride,
            first=first,
        )
        for side in (0, 1)
    )
    return [
        Pair(
            [*a.ids, *b.ids],
            [*a.segments, *b.segments],
            a.tokens + b.tokens,
            first=len(a.ids),
            texts=pair,
            lengths=(a.tokens, b.tokens),
        )
        for a, b, pair in zip(firsts, seconds, pairs, strict=True)
    ]


def vectors_of(model: Model, pairs: Sequence[Pair], *, batch_tokens: int, what: str) -> Vectors:
    """Vectors of length 1, [pairs, 2, hidden]; a text that is there often is read once."""
    sides = [side for pair in pairs for side in pair.sides]
    keys = [tuple(map(tuple, side.ids)) for side in sides]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    distinct = dict(zip(keys, sides, strict=True))
    read = model.embed_windows(
        [distinct[key] for key in numbers], batch_tokens=batch_tokens, what=what
    )
    vectors = unit(read.numpy())[[numbers[key] for key in keys]]
    return vectors.reshape(len(pairs), 2, -1) if pairs else vectors.reshape(0, 2, 0)


def unit(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Vectors of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return found


def batch_vectors(model: Model, batch: Batch, firsts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The vectors of a batch's first and second texts, each [pairs, hidden], with gradients.

    Args:
        model: whose pooling the checkpoint declares.
        batch: of pairs.
        firsts: of each of its pairs, how many windows are the first text's.
    """
    hidden, layout = window_states(model, batch)
    windows = POOLINGS[model.checkpoint.embedding.pooling](hidden, layout).float()
    counts: list[int] = []
    for first, numbers in zip(firsts, batch.numbers, strict=True):
        before = sum(number < first for number in numbers)
        counts += [before, len(numbers) - before]
    sides = mean(windows, Layout(tuple(counts), device=windows.device))  # [2 * pairs, hidden]
    return sides[0::2], sides[1::2]
