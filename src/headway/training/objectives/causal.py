"""Next tokens: every token of a text is told from those before it.

For decoders. What comes later in a text never changes what is said of an earlier token.

Sibling: `masked` tells one token in seven, from both sides.

Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from headway.core.stacks import Decoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.training.collate import Batch, Ready
from headway.training.likelihood import next_tokens

__all__ = ["Causal"]


@dataclass(frozen=True)
class Causal:
    """See `Objective`."""

    about: str = field(default="every token is told from those before it", repr=False)
    head: str = field(default="text-generation", repr=False)
    terms: tuple[str, ...] = field(default=("loss",), repr=False)
    rate: float = field(default=1e-3, repr=False)
    joins: bool = field(default=True, repr=False)

    def check(self, model: Model) -> None:
        if not isinstance(model.body, Decoder):
            raise ConfigError(
                f"{model.source or 'this model'} is no decoder",
                allowed="a decoder (GPT-2, Llama and the like)",
                next_step="--task fill-mask, or --objective masked, for encoders",
            )

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        """All tokens but the first of each window are told."""
        told = sum(len(window) - 1 for window in batch.windows)
        return Ready(batch, None, (float(told),))

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        """-log p of each token, in nats."""
        assert isinstance(model.head, LanguageModelHead)
        states, words, _ = next_tokens(model, ready.batch.windows)
        return (model.head.loss(states, words),)
