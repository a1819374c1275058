"""Layouts: where each row of a ragged batch lies."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.core.layout import Layout

lengths = st.lists(st.integers(0, 7), min_size=1, max_size=6).map(tuple)


@given(lengths)
def test_indices_say_what_a_loop_says(lengths: tuple[int, ...]) -> None:
    layout = Layout(lengths)
    assert layout.tokens == sum(lengths)
    assert layout.longest == max(lengths)
    rows = [(number, place) for number, length in enumerate(lengths) for place in range(length)]
    assert list(zip(layout.sequence.tolist(), layout.within.tolist(), strict=True)) == rows
    assert layout.positions.tolist() == layout.within.tolist()
    starts = layout.boundaries.tolist()
    assert [b - a for a, b in itertools.pairwise(starts)] == list(lengths)
    assert layout.counts.tolist() == list(lengths)


@given(lengths, st.data())
def test_positions_go_on_after_the_past(lengths: tuple[int, ...], data: st.DataObject) -> None:
    past = tuple(data.draw(st.integers(0, 9)) for _ in lengths)
    positions = Layout(lengths, past=past).positions.tolist()
    wanted = [old + n for old, length in zip(past, lengths, strict=True) for n in range(length)]
    assert positions == wanted


@given(lengths)
def test_padding_is_undone_and_is_zero(lengths: tuple[int, ...]) -> None:
    layout = Layout(lengths)
    rows = torch.randn(layout.tokens, 2, 3)
    padded = layout.pad(rows)
    assert padded.shape == (len(lengths), layout.longest, 2, 3)
    wider = layout.pad_to(layout.longest + 2, rows)
    assert torch.equal(wider[:, : layout.longest], padded)
    assert wider.shape[1] == layout.longest + 2
    assert not wider[:, layout.longest :].any()
    assert torch.equal(layout.unpad(padded), rows)
    for number, part in enumerate(layout.split(rows)):
        assert torch.equal(padded[number, : len(part)], part)
        assert not padded[number, len(part) :].any()


@pytest.mark.parametrize("lengths", [(3, 1, 2), (2, 2), (0, 4), (1,)])
def test_gradients_of_padding_are_right(lengths: tuple[int, ...]) -> None:
    layout = Layout(lengths)
    rows = torch.randn(layout.tokens, 2, dtype=torch.float64, requires_grad=True)
    padded = torch.randn(len(lengths), layout.longest, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layout.pad, rows)
    assert torch.autograd.gradcheck(layout.unpad, padded)


def test_layouts_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"\(2, -1\)"):
        Layout((2, -1))
    with pytest.raises(ValueError, match=r"\(2, 1\) tokens after \(3,\)"):
        Layout((2, 1), past=(3,))
    assert Layout(()).longest == 0
    assert Layout.of([[5, 6], [], [7]]).lengths == (2, 0, 1)
