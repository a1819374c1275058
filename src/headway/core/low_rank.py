"""What is learned beside linear layers: products of two thin matrices that are added to their own.

Source: LoRA, Hu et al. 2021, arXiv 2106.09685.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from headway.core.dropout import Dropout

__all__ = ["LowRank", "beside", "merge", "merged_while"]


class LowRank(nn.Module):
    """For each part of a linear layer's output, up @ down @ input.

    Args:
        inputs: size of the layer's input.
        parts: name -> outputs, of each layer that is fused in it, or of the one that it is.
        rank: of each product.
        scale: by which it is multiplied.
        dropout: rate in front of it.

    Attributes:
        down: [parts, rank, inputs]; random, as torch begins a linear layer.
        up: [outputs, rank]; zeros, so that nothing is added at first.

    >>> LowRank(4, {"q": 3, "k": 2}, rank=1, scale=2.0)(torch.ones(2, 4)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        inputs: int,
        parts: Mapping[str, int],
        *,
        rank: int,
        scale: float,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.parts, self.scale = dict(parts), scale
        self.dropout = Dropout(dropout)
        self.down = nn.Parameter(torch.empty(len(self.parts), rank, inputs))
        self.up = nn.Parameter(torch.zeros(sum(self.parts.values()), rank))
        for part in self.down.detach().unbind():
            nn.init.kaiming_uniform_(part, a=math.sqrt(5))
        self.merged = False

    def products(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Name of each part -> (down [rank, inputs], up [outputs, rank])."""
        ups = self.up.split(list(self.parts.values()))
        return dict(zip(self.parts, zip(self.down, ups, strict=True), strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """What is added to the layer's output: [tokens, inputs] -> [tokens, outputs]."""
        thin = self.dropout(x) @ self.down.flatten(0, 1).T  # [tokens, parts * rank]
        pairs = zip(thin.chunk(len(self.parts), dim=-1), self.products().values(), strict=True)
        return self.scale * torch.cat([part @ up.T for part, (_, up) in pairs], dim=-1)

    def matrix(self) -> Tensor:
        """What is added to the layer's weight, [outputs, inputs]."""
        return self.scale * torch.cat([up @ down for down, up in self.products().values()])


NAME = "low_rank"
"""Of the module beside a layer."""


def beside(layers: Iterable[nn.Linear], low_rank: LowRank) -> None:
    """Has the layers' output be their own and the product's, until `merge`.

    Args:
        layers: one, or several that are the same weight.
        low_rank: fresh.
    """
    for layer in layers:
        layer.add_module(NAME, low_rank)
        layer.__dict__["low_rank_hook"] = layer.register_forward_hook(_add)


def _add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    low_rank = _of(layer)
    if low_rank.merged:
        return output
    added: Tensor = low_rank(inputs[0])
    return output + added.to(output.dtype)


def merge(module: nn.Module) -> list[LowRank]:
    """Adds the products in a module to the weights, and takes them out of it."""
    found: dict[LowRank, None] = {}
    for layer in _layers(module):
        low_rank = _of(layer)
        if low_rank not in found:
            _into(layer, low_rank)
        found[low_rank] = None
        layer.__dict__.pop("low_rank_hook").remove()
        delattr(layer, NAME)
    return list(found)


@contextmanager
def merged_while(module: nn.Module) -> Iterator[None]:
    """While open, the weights have the products in them, for all that reads weights alone; then
    they are what they were, bit for bit."""
    first = {_of(layer): layer for layer in _layers(module)}  # one of several of the same weight
    own = {low_rank: layer.weight.detach().clone() for low_rank, layer in first.items()}
    try:
        for low_rank, layer in first.items():
            _into(layer, low_rank)
            low_rank.merged = True
        yield
    finally:
        for low_rank, weight in own.items():
            first[low_rank].weight.data.copy_(weight)
            low_rank.merged = False


@torch.no_grad()
def _into(layer: nn.Linear, low_rank: LowRank) -> None:
    layer.weight += low_rank.matrix().to(layer.weight.dtype)


def _layers(module: nn.Module) -> list[nn.Linear]:
    every = (part for part in module.modules() if isinstance(part, nn.Linear))
    return [layer for layer in every if hasattr(layer, NAME)]


def _of(layer: nn.Module) -> LowRank:
    found = getattr(layer, NAME)
    assert isinstance(found, LowRank)
    return found
