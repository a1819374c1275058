"""One decoding step of a model: a decoder with its cache and head, as the loop wants it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headway.core.cache import Cache
from headway.core.layout import Layout
from headway.core.stacks import Decoder
from headway.generate.loop import Step

__all__ = ["cached_step"]


def cached_step(
    decoder: Decoder, head: nn.Module, texts: int, *, memory: tuple[Tensor, Layout] | None = None
) -> Step:
    """A step that remembers what it has read.

    Args:
        decoder: the stack.
        head: hidden states -> logits over the vocabulary.
        texts: how many are continued at once.
        memory: an encoder's output and its layout, for encoder-decoders.
    """
    device = next(decoder.parameters()).device
    cache = Cache(texts, len(decoder.layers), device=device)

    def step(chunks: Sequence[Sequence[int]]) -> Tensor:
        layout = Layout.of(chunks, device)
        ids = torch.tensor([token for chunk in chunks for token in chunk], device=device)
        rows = decoder(ids, layout, cache=cache, memory=memory)
        ends = layout.boundaries[1:][layout.counts > 0] - 1
        logits: Tensor = head(rows[ends], Layout((1,) * len(ends), device=device))
        return logits

    return step
