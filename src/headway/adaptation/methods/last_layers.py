"""The last blocks and the head learn; what lies below stays as it came, and costs no gradient.

Source: Lee, Tang & Lin 2019, "What Would Elsa Do? Freezing Layers During Transformer Fine-Tuning",
arXiv 1911.03090: a fourth of the blocks gives nine tenths of the quality.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from headway.adaptation.methods.method import Plain, learn_levels
from headway.model import Model
from headway.training.depth import block_levels, depths

__all__ = ["LastLayers"]


@dataclass(frozen=True)
class LastLayers(Plain):
    """See `Method`.

    Args:
        layers: how many blocks; the embeddings are held in any case.
    """

    layers: int = 2
    about: str = field(default="the last blocks and the head learn", repr=False)
    rate: float = field(default=1.0, repr=False)

    def begin(self, model: Model) -> None:
        self.begin_epoch(model, 1, 1)

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        head = () if model.head is None else (len(depths(model)) - 1,)
        learn_levels(model, {*block_levels(model)[-self.layers :], *head})
