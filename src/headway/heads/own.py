"""Heads of Headway's own, which fit every family."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from torch import nn

from headway.core.names import Row
from headway.core.pooling import POOLINGS
from headway.errors import ConfigError, nearest
from headway.heads.classification import Classifier
from headway.heads.span import SpanHead
from headway.heads.spec import HeadSpec
from headway.heads.token_classification import TokenClassifier

__all__ = ["OWN_HEADS", "Build", "own_head"]

Build = Callable[..., nn.Module]
"""(hidden size, labels, dropout rate, and the pooling where it is a head of texts) -> head."""


def text_linear(hidden: int, labels: int, dropout: float, pooling: str) -> Classifier:
    """One linear layer on the pooled states: 768 -> 2 is 1,538 parameters."""
    return Classifier(pooling, nn.Linear(hidden, labels), dropout=dropout)


def token_linear(hidden: int, labels: int, dropout: float) -> TokenClassifier:
    """One linear layer on each state."""
    return TokenClassifier(nn.Linear(hidden, labels), dropout=dropout)


def span_linear(hidden: int, labels: int, dropout: float) -> SpanHead:
    """One linear layer on each state; two outputs, whatever they are called."""
    return SpanHead(nn.Linear(hidden, 2), dropout=dropout)


OWN_HEADS: dict[str, dict[str, Build]] = {
    "text": {"linear": text_linear},
    "token": {"linear": token_linear},
    "span": {"linear": span_linear},
}
"""What there are logits of -> name -> how it is built.

text   one row a text, from pooled states
token  one row a token
span   a start and an end a token
"""

TENSORS = ("output.*",)
"""Names of the tensors that such heads have; `#` and `*` as in a family's table."""


def own_head(name: str, pooling: str | None = None, *, of: str = "text") -> HeadSpec:
    """The head of that name, as a spec that any family can carry.

    Args:
        name: key of OWN_HEADS[of].
        pooling: of a head of texts; name in POOLINGS.
        of: key of OWN_HEADS: what there are logits of.

    Raises:
        ConfigError: a name is not known, or a pooling is given where nothing is pooled.
    """
    _check("heads of", of, OWN_HEADS)
    _check("head", name, OWN_HEADS[of])
    if of == "text":
        _check("pooling", pooling, POOLINGS)
    elif pooling is not None:
        raise ConfigError(
            f"pooling {pooling!r} with a head of {of!r}", allowed="none: no states are pooled there"
        )
    pooled = (pooling,) if of == "text" else ()

    def build(config: Any, body: nn.Module, labels: int) -> nn.Module:
        rate = getattr(config, "dropout", 0.0)
        return OWN_HEADS[of][name](config.hidden, labels, rate, *pooled)

    rows: tuple[Row, ...] = tuple((tensor, f"head.{tensor}") for tensor in TENSORS)
    return HeadSpec("", build, rows)


def _check(what: str, value: object, known: Collection[str]) -> None:
    if value not in known:
        raise ConfigError(
            f"{what} {value!r} is not known",
            allowed=", ".join(known),
            next_step=nearest(str(value), known),
        )
