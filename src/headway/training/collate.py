"""Texts with their windows as one ragged batch, and a model's logits for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from headway.core.embeddings import Embeddings
from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.core.stacks import EncoderDecoder
from headway.data.batches.budget import BUCKET, shuffled_batches
from headway.model import Model
from headway.windows import Windowed

__all__ = [
    "Batch",
    "Ready",
    "chosen_windows",
    "epoch_batches",
    "equal_epochs",
    "text_logits",
    "window_logits",
    "window_states",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """Some texts of one step.

    Attributes:
        rows: their numbers.
        windows: ids of every window, text after text.
        segments: 0 or 1 for each token, likewise.
        numbers: which of its windows each text has here.
    """

    rows: list[int]
    windows: list[list[int]]
    segments: list[list[int]]
    numbers: list[list[int]]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many windows each text has here."""
        return tuple(map(len, self.numbers))

    @property
    def tokens(self) -> int:
        """Of all windows."""
        return sum(map(len, self.windows))

    def cut(self, most: int | None, beside: Sequence[int] = ()) -> list[Batch]:
        """The same texts in batches of fewer tokens, for less memory.

        Args:
            most: tokens in each; a text that has more is a batch of its own. None = all in one.
            beside: tokens of each text of the data that count beside its windows; () = none.

        >>> batch = Batch([7, 3], [[1, 2], [3], [4, 5]], [[0, 0], [0], [0, 0]], [[0, 1], [0]])
        >>> [part.rows for part in batch.cut(3)], [part.numbers for part in batch.cut(3)]
        ([[7], [3]], [[[0, 1]], [[0]]])
        """
        if most is None:
            return [self]
        parts: list[Batch] = []
        filled, start = 0, 0
        for row, numbers in zip(self.rows, self.numbers, strict=True):
            own = slice(start, start + len(numbers))
            start = own.stop
            length = sum(map(len, self.windows[own])) + (beside[row] if beside else 0)
            if not parts or filled + length > most:
                parts.append(Batch([], [], [], []))
                filled = 0
            filled += length
            last = parts[-1]
            last.rows.append(row)
            last.windows.extend(self.windows[own])
            last.segments.extend(self.segments[own])
            last.numbers.append(numbers)
        return parts


@dataclass(frozen=True)
class Ready:
    """A batch with what is learned from it; nothing is left to chance but dropout.

    A loss is a sum of terms, each a mean over what it counts: rows, tokens, pairs. Which of these a
    batch has is known before the model reads it, so that the parts of a step add up to its mean.

    Attributes:
        batch: what the model reads.
        wanted: what the loss compares with.
        counts: of each term, how much of what it counts there is.
    """

    batch: Batch
    wanted: Any
    counts: tuple[float, ...]


def epoch_batches(
    texts: Sequence[Windowed],
    *,
    batch_tokens: int,
    seed: int,
    most_windows: int | None,
    beside: Sequence[int] = (),
) -> list[Batch]:
    """The batches of one epoch.

    Args:
        texts: as `window_texts` makes them.
        batch_tokens: most tokens in a batch; a longer text is a batch of its own.
        seed: of this epoch.
        most_windows: a text with more windows takes part with so many of them, drawn anew each
            epoch, so that one very long text cannot fill the memory; None = with all.
        beside: tokens of each text that count beside its windows; () = none.
    """
    chance = random.Random(seed)
    chosen = [text.drawn(chance, most_windows) for text in texts]
    lengths = [
        sum(len(text.ids[n]) for n in kept) + more
        for text, kept, more in zip(texts, chosen, beside or [0] * len(texts), strict=True)
    ]
    return [
        Batch(
            rows,
            [texts[row].ids[n] for row in rows for n in chosen[row]],
            [texts[row].segments[n] for row in rows for n in chosen[row]],
            [chosen[row] for row in rows],
        )
        for rows in shuffled_batches(lengths, batch_tokens, seed=seed)
    ]


def equal_epochs(
    texts: Sequence[Windowed],
    *,
    batch_tokens: int,
    most_windows: int | None,
    beside: Sequence[int] = (),
) -> bool:
    """Whether all epochs are known to have as many batches, whatever their seed: texts take part
    with all of their windows, and all are sorted by length together.

    Args: as `epoch_batches` takes them.
    """
    tokens = sum(text.length for text in texts) + sum(beside)
    whole = most_windows is None or all(text.most_windows <= most_windows for text in texts)
    return whole and tokens <= BUCKET * batch_tokens


def chosen_windows(batch: Batch, targets: Sequence[Sequence[T]]) -> list[T]:
    """What is to be learned of each window of a batch, of what is of each window of each text."""
    return [
        targets[row][number]
        for row, numbers in zip(batch.rows, batch.numbers, strict=True)
        for number in numbers
    ]


def text_logits(model: Model, batch: Batch) -> Tensor:
    """One row of logits a text, float32 [texts, classes]: the mean over its windows.

    Args:
        model: body and head; not an encoder-decoder, which has no one vector a text.
        batch: as `epoch_batches` makes it.
    """
    logits, _ = window_logits(model, batch)
    return mean(logits, Layout(batch.counts, device=model.device))


def window_logits(model: Model, batch: Batch) -> tuple[Tensor, Layout]:
    """What the head says of every window, float32 [windows or tokens, ...], and where each lies."""
    assert model.head is not None
    hidden, layout = window_states(model, batch)
    return model.head(hidden, layout).float(), layout


def window_states(model: Model, batch: Batch) -> tuple[Tensor, Layout]:
    """The body's hidden states [tokens, hidden] of every window, and where each lies."""
    layout = Layout.of(batch.windows, model.device)
    ids, marks = (
        torch.tensor([n for window in part for n in window], device=model.device)
        for part in (batch.windows, batch.segments)
    )
    assert not isinstance(model.body, EncoderDecoder)
    marked = _tells_segments(model.body.embeddings)
    return model.body(ids, layout, marks if marked else None), layout


def _tells_segments(embeddings: Embeddings) -> bool:
    """Whether there is a table of more than one segment."""
    return embeddings.segments is not None and embeddings.segments.num_embeddings > 1
