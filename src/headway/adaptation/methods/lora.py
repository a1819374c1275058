"""LoRA: beside each linear layer of the blocks learns a product of two thin matrices; and the head.

The weights themselves stay, so gradients and moments are those of a hundredth of the numbers. In
the end the products are added to the weights: the model is as large and as fast as it was. They are
saved by themselves, too, in peft's format.

Source: Hu et al. 2021, arXiv 2106.09685; on all layers, at ten times the rate of full training,
Biderman et al. 2024, arXiv 2405.09673.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from headway.adaptation.methods.method import fresh_parameters, hold_body
from headway.checkpoints.lora import Adapter
from headway.core.bottleneck import Bottleneck, adapted_rows
from headway.core.low_rank import LowRank, beside, merge, merged_while
from headway.core.names import pair_names
from headway.errors import ConfigError
from headway.model import Model

__all__ = ["Lora"]

SCALE = 2.0


@dataclass(frozen=True)
class Lora:
    """See `Method`.

    Args:
        rank: of each product.
    """

    rank: int = 8
    about: str = field(default="products of thin matrices beside the layers, and the head, learn",
                       repr=False)  # fmt: skip
    rate: float = field(default=10.0, repr=False)

    def begin(self, model: Model) -> None:
        places = _places(model)
        if not places:
            raise ConfigError(
                f"method = 'lora' with {model.source or 'a model'}, which has no blocks",
                allowed="another way to adapt",
            )
        hidden = model.checkpoint.config.hidden
        if self.rank > hidden:
            raise ConfigError(
                f"rank = {self.rank} with hidden states of {hidden}", allowed=f"1 to {hidden}"
            )
        hold_body(model)
        for layers, parts in places:
            low_rank = LowRank(layers[0].in_features, parts, rank=self.rank, scale=SCALE)
            beside(layers, low_rank.to(layers[0].weight))

    def begin_epoch(self, model: Model, number: int, epochs: int) -> None:
        """Nothing changes."""

    @contextmanager
    def whole(self, model: Model) -> Iterator[None]:
        with merged_while(model.body):
            yield

    def end(self, model: Model) -> Adapter | None:
        layers = {}
        for low_rank in merge(model.body):
            for name, (down, up) in low_rank.products().items():
                layers[name] = (down.detach(), up.detach())
        if model.checkpoint.fresh:  # products alone are not all that has been learned
            return None
        return Adapter(layers, SCALE, self.rank, model.source)


def _places(model: Model) -> list[tuple[list[nn.Linear], dict[str, int]]]:
    """The linear layers of the blocks, those that are one weight together, and the names of their
    parts in the checkpoint's format with the outputs of each. Adapters are none: the format of
    products knows no names for them. Nor are layers that know nothing yet: they learn whole."""
    body, family = model.body, model.checkpoint.family
    layers: dict[int, list[nn.Linear]] = {}
    narrow = [part for part in body.modules() if isinstance(part, Bottleneck)]
    others = {inner for part in narrow for inner in part.modules()}
    fresh = set(map(id, fresh_parameters(model)))
    for part in body.modules():
        if isinstance(part, nn.Linear) and part not in others and id(part.weight) not in fresh:
            layers.setdefault(id(part.weight), []).append(part)
    pairs, _ = pair_names(body, adapted_rows(family.NAMES))
    found = []
    for pair in pairs:
        same = layers.get(id(pair.tensor))
        if same is not None and {"layers", "shared"} & set(pair.ours.split(".")):
            widths = pair.widths if len(pair.theirs) > 1 else (same[0].out_features,)
            found.append((same, dict(zip(pair.theirs, widths, strict=True))))
    return found
