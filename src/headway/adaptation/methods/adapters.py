"""Adapters: behind the feed-forward layer of each block a narrow layer learns; with norms and head.

They cannot be added to the weights, so they stay: they are saved with the model and loaded with it.

Sources: the layers, and what learns beside them, Houlsby et al. 2019, arXiv 1902.00751; one of them
a block, behind feed-forward alone, a sixteenth as wide as hidden states, Pfeiffer et al. 2020,
arXiv 2005.00247.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from headway.adaptation.methods.method import Plain, hold_body
from headway.core.bottleneck import (
    Bottleneck,
    bottleneck_width,
    put_bottlenecks,
    take_bottlenecks,
)
from headway.errors import ConfigError
from headway.model import Model

__all__ = ["Adapters"]

NARROWER = 16
"""How many times as wide hidden states are."""

LEARNING = (Bottleneck, nn.LayerNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Adapters(Plain):
    """See `Method`.

    Args:
        width: of each; None = a sixteenth of hidden states, or that of those that the model has,
            which then learn on.
    """

    width: int | None = None
    about: str = field(default="narrow layers behind the blocks' own, norms, and the head learn",
                       repr=False)  # fmt: skip
    rate: float = field(default=30.0, repr=False)  # 3e-3, the highest of Houlsby et al.

    def begin(self, model: Model) -> None:
        size = self._width(model)
        if not put_bottlenecks(model.body, size):
            raise ConfigError(
                f"method = 'adapters' with {model.source or 'a model'}, which has no blocks",
                allowed="another way to adapt",
            )
        hold_body(model)
        for part in model.body.modules():
            if isinstance(part, LEARNING):
                part.requires_grad_(True)

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Nothing changes."""

    def end(self, model: Model) -> None:
        """Adapters stay, unless they have learned nothing."""
        layers = [part.up for part in model.body.modules() if isinstance(part, Bottleneck)]
        if not any(p.any() for layer in layers for p in layer.parameters()):
            take_bottlenecks(model.body)

    def _width(self, model: Model) -> int:
        there, hidden = bottleneck_width(model.body), model.checkpoint.config.hidden
        if there is not None:
            if self.width not in (None, there):
                raise ConfigError(
                    f"width = {self.width} with {model.source or 'a model'}, which has adapters",
                    allowed=str(there),
                    next_step="leave it out: they learn on",
                )
            return there
        size = self.width or max(1, hidden // NARROWER)
        if size > hidden:
            raise ConfigError(
                f"width = {size} with hidden states of {hidden}", allowed=f"1 to {hidden}"
            )
        return int(size)
