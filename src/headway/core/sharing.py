"""Blocks that are applied several times with the same parameters.

Source: Lan et al. 2019, arXiv 1909.11942, section 3.1.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TypeVar

from torch import nn

__all__ = ["applications"]

B = TypeVar("B", bound=nn.Module)


def applications(blocks: Iterable[B]) -> list[B]:
    """One block for each application, in order.

    A block that comes again is a copy there: its parameters are the same objects, so that what one
    learns all know, and its taps are its own, so that each application can be watched and edited.

    >>> block = nn.Linear(2, 2)
    >>> once, again = applications([block, block])
    >>> once is block, again is block, again.weight is block.weight
    (True, False, True)
    """
    seen: set[int] = set()
    layers = []
    for block in blocks:
        layers.append(_sharing_copy(block) if id(block) in seen else block)
        seen.add(id(block))
    return layers


def _sharing_copy(block: B) -> B:
    """A copy of all but the parameters."""
    return copy.deepcopy(block, {id(parameter): parameter for parameter in block.parameters()})
