"""What is learned behind the feed-forward layers of a stack: narrow layers that add to them.

Sources: the layer, Houlsby et al. 2019, arXiv 1902.00751; one a block, behind feed-forward alone,
Pfeiffer et al. 2020, arXiv 2005.00247.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor, nn

from headway.core.blocks import (
    PostNormBlock,
    PostNormCrossBlock,
    PreNormBlock,
    PreNormCrossBlock,
)
from headway.core.feedforward import FeedForward, GatedFeedForward, activation
from headway.core.names import Row

__all__ = [
    "Adapted",
    "Bottleneck",
    "adapted_rows",
    "bottleneck_width",
    "put_bottlenecks",
    "take_bottlenecks",
]

Block = PostNormBlock | PreNormBlock | PostNormCrossBlock | PreNormCrossBlock


class Bottleneck(nn.Module):
    """Narrow, bend, widen, and add what came in.

    Args:
        hidden: size of a hidden state.
        width: size between the two linear layers.
        activation: between them.

    Attributes:
        down: hidden to width; random, as torch begins a linear layer.
        up: width to hidden; zeros, so that what comes in goes out at first.

    >>> import torch
    >>> Bottleneck(4, 2, activation("relu"))(torch.ones(1, 4)).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, hidden: int, width: int, activation: nn.Module) -> None:
        super().__init__()
        self.down = nn.Linear(hidden, width)
        self.activation = activation
        self.up = nn.Linear(width, hidden)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        added: Tensor = self.up(self.activation(self.down(x)))
        return x + added


class Adapted(nn.Module):
    """A layer with a bottleneck behind it.

    Args:
        layer: what a block had in this place.
        bottleneck: several may share one, as blocks share layers.
    """

    def __init__(self, layer: nn.Module, bottleneck: Bottleneck) -> None:
        super().__init__()
        self.layer = layer
        self.bottleneck = bottleneck

    def forward(self, x: Tensor) -> Tensor:
        """[tokens, hidden] -> [tokens, hidden]."""
        found: Tensor = self.bottleneck(self.layer(x))
        return found


def put_bottlenecks(body: nn.Module, width: int) -> int:
    """Puts a fresh bottleneck behind the feed-forward layer of each block that has none.

    Blocks whose feed-forward layers are one weight get one bottleneck (ALBERT's, and stacks that
    share theirs).

    Args:
        body: its outputs stay what they are, until a bottleneck has learned.
        width: of each.

    Returns:
        How many there are, of any width: 0 for a body without blocks.

    >>> from headway.families import bert
    >>> config = bert.Config(vocabulary=9, hidden=4, layers=3, heads=2, inner=4, positions=8)
    >>> put_bottlenecks(bert.build(config), 2)
    3
    """
    by_weight: dict[int, Bottleneck] = {}
    for block in _blocks(body):
        layer = block.feedforward
        if isinstance(layer, Adapted):
            by_weight[id(layer)] = layer.bottleneck
            continue
        assert isinstance(layer, FeedForward | GatedFeedForward), type(layer)
        weight = layer.down.weight  # [hidden, inner]
        fresh = by_weight.get(id(weight))
        if fresh is None:
            fresh = Bottleneck(len(weight), width, activation("relu")).to(weight)
            by_weight[id(weight)] = fresh
        block.feedforward = Adapted(layer, fresh).train(layer.training)
    return len({id(one) for one in by_weight.values()})


def take_bottlenecks(body: nn.Module) -> None:
    """Leaves the layers alone again."""
    for block in _blocks(body):
        if isinstance(block.feedforward, Adapted):
            block.feedforward = block.feedforward.layer


def bottleneck_width(body: nn.Module) -> int | None:
    """Of the bottlenecks that a body has; None = it has none."""
    found = next((part for part in body.modules() if isinstance(part, Bottleneck)), None)
    return None if found is None else found.down.out_features


PLACES = ("layers.#", "encoder.layers.#", "decoder.layers.#")
"""Blocks in bodies of one stack and of two."""

ROWS: tuple[Row, ...] = tuple(
    (f"{place}.feedforward.bottleneck.{side}.*", f"adapters.{place}.{side}.*")
    for place in PLACES
    for side in ("down", "up")
)


def adapted_rows(names: Iterable[Row]) -> list[Row]:
    """A body's name table, of a body with bottlenecks too.

    >>> for row in adapted_rows([("layers.#.feedforward.up.*", "h.#.up.*")])[:3]: print(*row)
    layers.#.feedforward.up.* h.#.up.*
    layers.#.feedforward.layer.up.* h.#.up.*
    layers.#.feedforward.bottleneck.down.* adapters.layers.#.down.*
    """
    rows = list(names)
    inner = [
        (ours.replace(".feedforward.", ".feedforward.layer."), theirs)
        for ours, theirs in rows
        if ".feedforward." in ours
    ]
    return [*rows, *inner, *ROWS]


def _blocks(body: nn.Module) -> Iterator[Block]:
    for part in list(body.modules()):
        if isinstance(part, Block):
            yield part
