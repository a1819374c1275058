"""A BiLSTM over ragged texts against torch's own, one text at a time."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.heads.lstm import BiLstm, EndStates


@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 999))
@settings(max_examples=30)
def test_states_are_those_of_each_text_alone(lengths: list[int], seed: int) -> None:
    torch.manual_seed(seed)
    encoder, layout = BiLstm(5, 3), Layout(tuple(lengths))
    hidden = torch.randn(layout.tokens, 5, requires_grad=True)
    states = encoder(hidden, layout)
    alone = [encoder.lstm(rows) for rows in layout.split(hidden)]
    wanted = torch.cat([rows for rows, _ in alone])
    torch.testing.assert_close(states, wanted)
    ends = torch.stack([last.flatten() for _, (last, _) in alone])
    torch.testing.assert_close(EndStates()(states, layout), ends)
    mine, theirs = (
        torch.autograd.grad(made.square().sum(), [hidden, *encoder.parameters()])
        for made in (states, wanted)
    )
    for ours, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-4, atol=1e-5)


def test_fresh_weights_are_small_and_differ() -> None:
    torch.manual_seed(0)
    encoder = BiLstm(40, 25)
    for parameter in encoder.parameters():
        parameter.data.fill_(9.0)
    initialise(encoder, 0.02)
    for parameter in encoder.parameters():
        assert parameter.abs().max() <= 1 / 5  # 1 / sqrt(size)
        assert parameter.unique().numel() > 90
