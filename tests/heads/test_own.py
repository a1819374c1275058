"""Heads of our own fit every family."""

from __future__ import annotations

import pytest
import torch

from headway.core.layout import Layout
from headway.core.pooling import POOLINGS
from headway.errors import ConfigError
from headway.families import bert, llama
from headway.heads import OWN_HEADS, own_head


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("name", OWN_HEADS)
@pytest.mark.parametrize("family", [bert, llama])
def test_every_head_gives_a_row_a_text(name: str, pooling: str, family: object) -> None:
    config = family.Config(hidden=8, heads=2, inner=8, layers=1, vocabulary=9)  # type: ignore[attr-defined]  # a module
    head = own_head(name, pooling).build(config, None, 3)
    assert head(torch.randn(5, 8), Layout((4, 1))).shape == (2, 3)


def test_the_linear_head_is_small() -> None:
    head = own_head("linear", "first").build(bert.Config(), None, 2)
    assert sum(parameter.numel() for parameter in head.parameters()) == 1538


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"head 'liner' is not known.*did you mean 'linear'"):
        own_head("liner", "first")
    with pytest.raises(ConfigError, match=r"pooling 'avg' is not known\. Allowed: first"):
        own_head("linear", "avg")
