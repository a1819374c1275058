"""Contrast: a text is read twice, and found again among all others of its step.

Dropout draws differently each time, and that is the whole difference between the two. What is
learned is the vector of a text, for search and similarity, from texts alone.

Sibling: the task `sentence-similarity` learns it from pairs that belong together.

Source: Gao et al. 2021, "SimCSE", arXiv 2104.08821, section 3; the temperature is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from headway.core.dropout import drops
from headway.core.pooling import POOLINGS
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.heads.losses import in_batch_negatives
from headway.model import Model
from headway.training.collate import Batch, Ready, window_states

__all__ = ["Contrastive"]

TEMPERATURE = 0.05


@dataclass(frozen=True)
class Contrastive:
    """See `Objective`."""

    about: str = field(default="texts are found again among others by their vectors", repr=False)
    head: str = field(default="", repr=False)
    terms: tuple[str, ...] = field(default=("loss",), repr=False)
    rate: float = field(default=5e-5, repr=False)
    joins: bool = field(default=False, repr=False)

    def check(self, model: Model) -> None:
        if isinstance(model.body, EncoderDecoder):
            raise ConfigError(
                f"{model.source or 'this model'} is an encoder-decoder, and makes no vectors",
                allowed="an encoder or a decoder",
            )
        if not drops(model.body):
            raise ConfigError(
                f"{model.source or 'this model'} has no dropout: a text read twice is the same",
                next_step="set hidden_dropout_prob = 0.1 in its config.json",
            )

    def collate(self, model: Model, batch: Batch, chance: torch.Generator | None) -> Ready:
        return Ready(batch, None, (float(len(batch.windows)),))

    def loss(self, model: Model, ready: Ready) -> tuple[Tensor, ...]:
        return self.compare(*self.vectors(model, ready))

    def vectors(self, model: Model, ready: Ready) -> tuple[Tensor, Tensor]:
        """Both vectors of each text, float32 [texts, hidden]."""
        batch = ready.batch
        twice = Batch(
            [*batch.rows, *batch.rows],
            [*batch.windows, *batch.windows],
            [*batch.segments, *batch.segments],
            [*batch.numbers, *batch.numbers],
        )
        hidden, layout = window_states(model, twice)
        vectors = POOLINGS[model.checkpoint.embedding.pooling](hidden, layout).float()
        first, second = vectors.chunk(2)
        return first, second

    def compare(self, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        """-log p of finding each text's second vector by its first, in nats."""
        return (in_batch_negatives(first, second, temperature=TEMPERATURE).sum(),)
