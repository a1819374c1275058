"""A model's parameters by depth, from the embeddings up to the head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import nn
from torch.nn import Parameter

from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.model import Model

__all__ = ["block_levels", "depths", "ends"]


def depths(model: Model) -> list[list[nn.Module]]:
    """Its modules from the bottom up: the embeddings, one block after the other, the head.

    What stands behind all blocks (a last norm) is with the last one; blocks that are one weight are
    one level; a decoder that looks at an encoder lies above it. A table that is also the head's
    counts below.

    >>> from headway.checkpoints import Checkpoint
    >>> from headway.families import bert
    >>> config = bert.Config(vocabulary=9, hidden=4, layers=3, heads=2, inner=4, positions=8)
    >>> len(depths(Model(Checkpoint(bert, config, bert.build(config)))))
    4
    """
    found = [level for stack in _stacks(model) for level in _levels(stack)]
    return found if model.head is None else [*found, [model.head]]


def block_levels(model: Model) -> list[int]:
    """Which of `depths` are blocks, by number."""
    blocks = {block for stack in _stacks(model) for block in stack.layers}
    return [number for number, level in enumerate(depths(model)) if not blocks.isdisjoint(level)]


def ends(model: Model) -> list[Parameter]:
    """The parameters at the ends of the stack: of embeddings and of the head."""
    body = [p for name, p in model.body.named_parameters() if "embeddings" in name.split(".")]
    return body + ([] if model.head is None else list(model.head.parameters()))


def _stacks(model: Model) -> list[Encoder | Decoder]:
    body = model.body
    return [body.encoder, body.decoder] if isinstance(body, EncoderDecoder) else [body]


def _levels(stack: Encoder | Decoder) -> Iterator[list[nn.Module]]:
    """Embeddings, then each block, of one stack."""
    blocks = _apart(stack.layers)
    ours = stack.embeddings, stack.layers, stack.shared if isinstance(stack, Encoder) else None
    others = [part for part in stack.children() if part not in ours]
    behind = [part for part in others if part is stack.norm]
    before = [part for part in others if part is not stack.norm]
    yield [stack.embeddings, *before] if blocks else [stack.embeddings, *others]
    for number, level in enumerate(blocks, start=1):
        yield [*level, *behind] if number == len(blocks) else level


def _apart(blocks: Iterable[nn.Module]) -> list[list[nn.Module]]:
    """Blocks, those that are applications of one together, in the order of the first of each."""
    levels: dict[frozenset[int], list[nn.Module]] = {}
    for block in blocks:
        levels.setdefault(frozenset(map(id, block.parameters())), []).append(block)
    return list(levels.values())
