"""A model's parameters by depth, from the embeddings up to the head."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.nn import Parameter

from headway.core.stacks import Decoder, Encoder, EncoderDecoder
from headway.model import Model

__all__ = ["depths", "ends"]


def depths(model: Model) -> list[list[nn.Module]]:
    """Its modules from the bottom up: the embeddings, one block after the other, the head.

    What stands behind all blocks (a last norm) is with the last one; what blocks share, with the
    first; a decoder that looks at an encoder lies above it. A table that is also the head's counts
    below.

    >>> from headway.checkpoints import Checkpoint
    >>> from headway.families import bert
    >>> config = bert.Config(vocabulary=9, hidden=4, layers=3, heads=2, inner=4, positions=8)
    >>> len(depths(Model(Checkpoint(bert, config, bert.build(config)))))
    4
    """
    body = model.body
    stacks = [body.encoder, body.decoder] if isinstance(body, EncoderDecoder) else [body]
    found = [level for stack in stacks for level in _levels(stack)]
    return found if model.head is None else [*found, [model.head]]


def ends(model: Model) -> list[Parameter]:
    """The parameters at the ends of the stack: of embeddings and of the head."""
    body = [p for name, p in model.body.named_parameters() if "embeddings" in name.split(".")]
    return body + ([] if model.head is None else list(model.head.parameters()))


def _levels(stack: Encoder | Decoder) -> Iterator[list[nn.Module]]:
    """Embeddings, then each block, of one stack."""
    blocks = list(stack.layers)
    others = [part for part in stack.children() if part not in (stack.embeddings, stack.layers)]
    behind = [part for part in others if part is stack.norm]
    before = [part for part in others if part is not stack.norm]
    yield [stack.embeddings, *before] if blocks else [stack.embeddings, *others]
    for number, block in enumerate(blocks, start=1):
        yield [block, *behind] if number == len(blocks) else [block]
