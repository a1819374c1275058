"""Texts with their windows as one ragged batch, and a model's logits for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headway.core.embeddings import Embeddings
from headway.core.layout import Layout
from headway.core.pooling import mean
from headway.core.stacks import EncoderDecoder
from headway.data.batches.budget import shuffled_batches
from headway.model import Model
from headway.windows import Windowed

__all__ = ["Batch", "epoch_batches", "text_logits", "window_logits", "window_states"]


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
