"""How a family names, builds and stores one of its heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from headway.core.names import Row

__all__ = ["HeadSpec"]


@dataclass(frozen=True)
class HeadSpec:
    """One head that checkpoints of a family can carry.

    Attributes:
        ending: of the class that `architectures` in config.json names, as in BertForMaskedLM; how
            it begins, the family's CLASSES says.
        build: (family config, body, number of labels) -> the head; a language-model head takes the
            body's embedding table when the config ties the two.
        names: rows `ours | theirs` of the head's tensors, without the prefix that bodies have.
    """

    ending: str
    build: Callable[[Any, Any, int], nn.Module]
    names: tuple[Row, ...]
