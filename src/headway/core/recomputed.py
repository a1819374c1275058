"""Blocks that are computed twice: memory for time.

A block keeps for the backward pass what it computes, some twenty times the size of its input. Where
that does not fit, it keeps its input alone, and computes the rest again when its gradient is due:
a third more operations.

Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from headway.core.stacks import Decoder, Encoder

__all__ = ["recomputed_while"]


@contextmanager
def recomputed_while(body: nn.Module) -> Iterator[None]:
    """While open, the blocks of a body keep their input alone where gradients are wanted.

    Dropout draws the same both times, so gradients are those of before, to the bit. The first block
    of each stack is as it was: what blocks share, such as biases by distance, is made there.

    Args:
        body: one stack or two.
    """
    stacks = [part for part in body.modules() if isinstance(part, (Encoder, Decoder))]
    first = {id(layer) for stack in stacks for layer in stack.layers[:1]}
    every = {id(layer): layer for stack in stacks for layer in stack.layers}
    layers = {key: layer for key, layer in every.items() if key not in first}
    for layer in layers.values():
        layer.forward = partial(_again, layer.forward)
    try:
        yield
    finally:
        for layer in layers.values():
            del layer.forward  # the class's own is behind it


def _again(forward: Callable[..., Tensor], x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """A block's output, of which only the input is kept."""
    if not torch.is_grad_enabled():
        return forward(x, *args, **kwargs)
    found: Tensor = checkpoint(forward, x, *args, use_reentrant=False, **kwargs)
    return found
