"""The head learns first, and the blocks below it one after the other, until all weights do.

A fresh head sends gradients that say nothing yet: the body waits until it has learned a little.

Source: gradual unfreezing, Howard & Ruder 2018, arXiv 1801.06146, section 3.3; there one block an
epoch, here in as many epochs as there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway.adaptation.methods.method import Plain, learn_levels
from headway.model import Model
from headway.training.depth import depths

__all__ = ["Gradual"]


@dataclass(frozen=True)
class Gradual(Plain):
    """See `Method`."""

    about: str = "the head learns first, then the blocks from the last one down"
    rate: float = 1.0

    def begin(self, model: Model) -> None:
        model.requires_grad_(True)

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Epoch n of N has the upper n/N of the levels, the last one all."""
        levels = len(depths(model))
        learn_levels(model, range(levels - max(1, round(levels * number / epochs)), levels))
