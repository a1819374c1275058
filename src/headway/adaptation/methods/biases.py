"""Biases and the head learn: one weight in a thousand of the body.

Source: BitFit, Ben Zaken, Ravfogel & Goldberg 2021, arXiv 2106.10199.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway.adaptation.methods.method import Plain, fresh_parameters
from headway.errors import ConfigError
from headway.model import Model

__all__ = ["Biases"]


@dataclass(frozen=True)
class Biases(Plain):
    """See `Method`."""

    about: str = "biases and the head learn"
    rate: float = 10.0

    def begin(self, model: Model) -> None:
        body = dict(model.body.named_parameters())
        learned = {id(p) for name, p in body.items() if name.rpartition(".")[2] == "bias"}
        if not learned:
            raise ConfigError(
                f"method = 'biases' with {model.source or 'a model'}, which has none",
                allowed="another way to adapt",
            )
        held = {id(p) for p in body.values()} - learned - set(map(id, fresh_parameters(model)))
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) not in held)

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Nothing changes."""
