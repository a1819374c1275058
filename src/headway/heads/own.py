"""Heads of Headway's own, which fit every family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from headway.core.pooling import POOLINGS
from headway.errors import ConfigError, nearest
from headway.heads.classification import Classifier
from headway.heads.spec import HeadSpec

__all__ = ["OWN_HEADS", "own_head"]


def linear(hidden: int, labels: int, pooling: str, dropout: float) -> Classifier:
    """One linear layer on the pooled states: 768 -> 2 is 1,538 parameters."""
    return Classifier(pooling, nn.Linear(hidden, labels), dropout=dropout)


OWN_HEADS: dict[str, Callable[[int, int, str, float], nn.Module]] = {"linear": linear}
"""Name -> (hidden size, labels, pooling, dropout) -> head."""


def own_head(name: str, pooling: str) -> HeadSpec:
    """The head of that name, as a spec that any family can carry.

    Raises:
        ConfigError: unknown head or pooling.
    """
    for what, value, known in (("head", name, OWN_HEADS), ("pooling", pooling, POOLINGS)):
        if value not in known:
            raise ConfigError(
                f"{what} {value!r} is not known",
                allowed=", ".join(known),
                next_step=nearest(str(value), known),
            )

    def build(config: Any, body: nn.Module, labels: int) -> nn.Module:
        return OWN_HEADS[name](config.hidden, labels, pooling, getattr(config, "dropout", 0.0))

    return HeadSpec("", build, (("output.*", "head.output.*"),))
