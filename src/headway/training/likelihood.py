"""How surprised a model is by each token of a text, given those before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from headway.core.layout import Layout
from headway.core.stacks import Decoder
from headway.data.batches.budget import sorted_batches
from headway.logs import progress
from headway.model import Model

__all__ = ["next_token_losses", "surprises"]


def next_token_losses(model: Model, windows: Sequence[Sequence[int]]) -> tuple[Tensor, Layout]:
    """-log p of each token but a window's first, in nats, given those before it in the window.

    Args:
        model: a decoder with a head over the vocabulary.
        windows: ids, of one token or more each.

    Returns:
        float32 [tokens - windows], and how they lie: one less than each window has.
    """
    assert isinstance(model.body, Decoder) and model.head is not None
    layout = Layout.of(windows, model.device)
    ids = torch.tensor([token for window in windows for token in window], device=model.device)
    hidden = model.body(ids, layout)
    last = layout.boundaries[1:] - 1
    keep = torch.ones(len(ids), dtype=torch.bool, device=model.device)
    keep[last] = False  # nothing is predicted from a window's last token
    lies = Layout(tuple(length - 1 for length in layout.lengths), device=model.device)
    logits = model.head(hidden[keep], lies).float()
    first = torch.zeros_like(keep)
    first[layout.boundaries[:-1]] = True
    losses: Tensor = F.cross_entropy(logits, ids[~first], reduction="none")
    return losses, lies


def surprises(
    model: Model, windows: Sequence[Sequence[int]], *, batch_tokens: int, what: str = "Reading"
) -> list[Tensor]:
    """`next_token_losses` of any number of windows, without gradients, float32 on the processor.

    Args:
        model, windows: as there.
        batch_tokens: most tokens in a forward pass.
        what: shown beside the progress bar.
    """
    found: dict[int, Tensor] = {}
    with model.parts.predicting():
        for batch in progress(sorted_batches(list(map(len, windows)), batch_tokens), what):
            losses, lies = next_token_losses(model, [windows[number] for number in batch])
            found.update(zip(batch, lies.split(losses.cpu()), strict=True))
    return [found[number] for number in range(len(windows))]
