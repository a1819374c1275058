"""The head alone learns, on a body that stays as it came: its hidden states as they are."""

from __future__ import annotations

from dataclasses import dataclass

from headway.adaptation.methods.method import Plain, learn_levels
from headway.errors import ConfigError
from headway.model import Model
from headway.training.depth import depths

__all__ = ["HeadAlone"]


@dataclass(frozen=True)
class HeadAlone(Plain):
    """See `Method`."""

    about: str = "the head alone learns, on a body that stays as it came"
    rate: float = 30.0

    def begin(self, model: Model) -> None:
        if model.head is None:
            raise ConfigError(
                "method = 'head' with a task that has none", allowed="another way to adapt"
            )
        self.begin_epoch(model, 1, 1)
        if not any(p.requires_grad for p in model.parameters()):
            raise ConfigError(
                f"method = 'head' with {model.source or 'a model'}, whose head is its word table",
                allowed="another way to adapt",
            )

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        learn_levels(model, {len(depths(model)) - 1})
