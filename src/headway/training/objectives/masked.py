"""Masked words: tokens of a text are hidden, and told from what stands around them.

For encoders. Tokens are hidden anew each time that a text is read. Only the states of hidden tokens
reach the head: of a large vocabulary, six sevenths of its work are saved.

Siblings: `causal` tells every token, from those before it alone; `replaced` asks of every token
whether it is the text's own.

Source: Devlin et al. 2018, arXiv 1810.04805; Liu et al. 2019, arXiv 1907.11692.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from headway.core.stacks import Encoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model
from headway.training.collate import Batch, Ready
from headway.training.masking import Choose, hidden_states, hide, mask_token, tokens

__all__ = ["Masked"]


@dataclass(frozen=True)
class Masked:
    """See `Objective`.

    Args:
        choose: what is hidden together, of MASKINGS.
    """

    choose: Choose = tokens
    about: str = field(default="hidden tokens are told from what stands around them", repr=False)
    head: str = field(default="fill-mask", repr=False)
    terms: tuple[str, ...] = field(default=("loss",), repr=False)
    rate: float = field(default=1e-3, repr=False)
    joins: bool = field(default=True, repr=False)

    def check(self, model: Model) -> None:
        if not isinstance(model.body, Encoder) or self.head not in model.checkpoint.family.HEADS:
            raise ConfigError(
                f"{model.source or 'this model'} tells no hidden words",
                allowed="an encoder (BERT and the like)",
                next_step="--task text-generation, or --objective causal, for decoders",
            )
        mask_token(model)

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        """Tokens are hidden; their number is what the loss is a mean over."""
        hidden = hide(model, batch.windows, [chance] * len(batch.windows), self.choose)
        return Ready(batch, hidden, (float(sum(hidden.counts)),))

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        """-log p of the hidden tokens, in nats."""
        assert isinstance(model.head, LanguageModelHead)
        states, right = hidden_states(model, ready.wanted)
        return (model.head.loss(states, right),)
