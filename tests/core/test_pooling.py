"""Pooling: what a loop over the texts gives."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.core.layout import Layout
from headway.core.pooling import POOLINGS

BY_HAND = {
    "first": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
    "max": lambda rows: rows.amax(0),
    "mean": lambda rows: rows.mean(0),
}


def test_every_pooling_is_tested() -> None:
    assert BY_HAND.keys() == POOLINGS.keys()


@pytest.mark.parametrize("name", POOLINGS)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple))
def test_pooling_equals_a_loop(name: str, lengths: tuple[int, ...]) -> None:
    layout = Layout(lengths)
    rows = torch.randn(layout.tokens, 3)
    wanted = torch.stack([BY_HAND[name](part) for part in layout.split(rows)])
    torch.testing.assert_close(POOLINGS[name](rows, layout), wanted)


@pytest.mark.parametrize("name", POOLINGS)
def test_gradients_reach_the_rows(name: str) -> None:
    layout = Layout((3, 1, 2))
    rows = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: POOLINGS[name](x, layout), rows)
