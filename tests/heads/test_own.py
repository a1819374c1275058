"""Heads of our own fit every family."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from headway.core.layout import Layout
from headway.core.pooling import POOLINGS
from headway.errors import ConfigError
from headway.families import bert, llama
from headway.heads import OWN_HEADS, own_head

LABELS = 3

EVERY = [
    (of, name, pooling)
    for of, heads in OWN_HEADS.items()
    for name in heads
    for pooling in (POOLINGS if of == "text" else [None])
]
"""Every head of ours, with every pooling that it can have."""


def built(
    of: str, name: str, pooling: str | None, family: ModuleType = bert, **sizes: int
) -> nn.Module:
    """A head for states of 8 numbers and three labels."""
    config = family.Config(**{"hidden": 8, "heads": 2, "inner": 8, "layers": 1, **sizes})
    body: Any = None  # which no head of ours asks for
    return own_head(name, pooling, of=of).build(config, body, LABELS)


@pytest.mark.parametrize(("of", "name", "pooling"), EVERY)
@pytest.mark.parametrize("family", [bert, llama])
def test_every_head_gives_rows_of_what_it_is_of(
    family: ModuleType, of: str, name: str, pooling: str | None
) -> None:
    head = built(of, name, pooling, family, vocabulary=9)
    shape = {"text": (2, LABELS), "token": (5, LABELS), "span": (5, 2)}[of]
    assert head(torch.randn(5, 8), Layout((4, 1))).shape == shape
    assert head.per_token is (of != "text")


@pytest.mark.parametrize(
    ("of", "name", "labels", "count"),
    [("text", "linear", 2, 1538), ("token", "linear", 9, 6921), ("span", "linear", 0, 1538)],
)
def test_parameters_are_as_many_as_by_hand(of: str, name: str, labels: int, count: int) -> None:
    pooling = "mean" if of == "text" else None
    body: Any = None
    head = own_head(name, pooling, of=of).build(bert.Config(), body, labels)
    assert sum(parameter.numel() for parameter in head.parameters()) == count


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"head 'liner' is not known.*did you mean 'linear'"):
        own_head("liner", "first")
    with pytest.raises(ConfigError, match=r"pooling 'avg' is not known\. Allowed: first"):
        own_head("linear", "avg")
    with pytest.raises(ConfigError, match=r"pooling None is not known\. Allowed: first"):
        own_head("linear")
    with pytest.raises(ConfigError, match=r"heads of 'tokens' is not known.*mean 'token'"):
        own_head("linear", of="tokens")
    with pytest.raises(ConfigError, match=r"pooling 'mean' with a head of 'token'. Allowed: none"):
        own_head("linear", "mean", of="token")
