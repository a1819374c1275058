"""How surprised a model is by each token of a text, given those before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import Decoder
from headway.data.batches.budget import sorted_batches
from headway.heads import LanguageModelHead
from headway.logs import progress
from headway.model import Model

__all__ = ["next_tokens", "surprises"]


def next_tokens(
    model: Model, windows: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor, tuple[int, ...]]:
    """States from which each token but a window's first is told, and these tokens.

    Args:
        model: a decoder.
        windows: ids, of one token or more each.

    Returns:
        float [tokens - windows, hidden], int64 [tokens - windows], and how many of them each window
        has: one less than tokens.
    """
    assert isinstance(model.body, Decoder)
    layout = Layout.of(windows, model.device)
    ids = torch.tensor([token for window in windows for token in window], device=model.device)
    hidden = model.body(ids, layout)
    keep = torch.ones(len(ids), dtype=torch.bool, device=model.device)
    keep[layout.lasts] = False  # nothing is predicted from a window's last token
    first = torch.zeros_like(keep)
    first[layout.boundaries[:-1]] = True
    return hidden[keep], ids[~first], tuple(length - 1 for length in layout.lengths)


def surprises(
    model: Model, windows: Sequence[Sequence[int]], *, batch_tokens: int, what: str = "Reading"
) -> list[Tensor]:
    """-log p of each token but a window's first, in nats, given those before it in the window.

    Args:
        model: a decoder with a head over the vocabulary.
        windows: ids, of one token or more each.
        batch_tokens: most tokens in a forward pass.
        what: shown beside the progress bar.

    Returns:
        Of each window, float32 [its tokens - 1] on the processor, without gradients.
    """
    head = model.head
    assert isinstance(head, LanguageModelHead)
    found: dict[int, Tensor] = {}
    with model.parts.predicting():
        for batch in progress(sorted_batches(list(map(len, windows)), batch_tokens), what):
            states, words, counts = next_tokens(model, [windows[number] for number in batch])
            losses = head.losses(states, words).cpu()
            found.update(zip(batch, losses.split(counts), strict=True))
    return [found[number] for number in range(len(windows))]
