"""Numbers that saved weights are in: those of half the size round what was learned a little."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["STORED", "round_weights"]

STORED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""Word -> dtype."""


@torch.no_grad()
def round_weights(model: nn.Module, word: str) -> str:
    """Rounds weights to what other numbers can say; they stay in their own.

    Args:
        model: whose weights change in place.
        word: one of STORED.

    Returns:
        The same word; bf16, which is as small, where a weight is too large for fp16.

    >>> layer = nn.Linear(1, 1)
    >>> _ = nn.init.constant_(layer.weight, 0.1)
    >>> round_weights(layer, "bf16"), layer.weight.item()
    ('bf16', 0.10009765625)
    """
    weights = list(model.parameters())
    largest = torch.finfo(STORED[word]).max
    if any(weight.numel() and weight.abs().max() > largest for weight in weights):
        word = "bf16"
    for weight in weights:
        weight.copy_(weight.to(STORED[word]))
    return word
