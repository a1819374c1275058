"""What a forward pass gives back: one tensor a text, never padded."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Output"]


@dataclass(frozen=True)
class Output:
    """Results of one forward pass over n texts; what was not asked for is None.

    Attributes:
        logits: per text [length, vocabulary] or [classes]; None without a head.
        last: per text, the last hidden states [length, hidden].
        hidden: per layer, per text [length, hidden]; layer 0 is the embeddings' output. Of the
            decoder, where there are two stacks.
        attention: per layer, per text [heads, length, length].
        encoder_hidden, encoder_attention: the same of the encoder, where there are two stacks.
        cross_attention: per layer, per text [heads, target length, length].
    """

    logits: list[Tensor] | None
    last: list[Tensor]
    hidden: list[list[Tensor]] | None = None
    attention: list[list[Tensor]] | None = None
    encoder_hidden: list[list[Tensor]] | None = None
    encoder_attention: list[list[Tensor]] | None = None
    cross_attention: list[list[Tensor]] | None = None
