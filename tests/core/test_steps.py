"""A ragged batch step after step."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.core.layout import Layout
from headway.core.steps import Steps


@given(st.lists(st.integers(0, 6), max_size=6))
def test_steps_hold_each_row_where_it_belongs(lengths: list[int]) -> None:
    layout = Layout(tuple(lengths))
    steps = Steps(layout)
    rows = torch.stack([layout.sequence, layout.within], dim=1)
    parts = steps.split(rows)
    assert [len(part) for part in parts] == steps.sizes
    assert len(parts) == max(lengths, default=0)
    for step, part in enumerate(parts):
        still = [number for number in steps.sequences.tolist() if lengths[number] > step]
        assert part.tolist() == [[number, step] for number in still]
    assert sorted(steps.sequences.tolist()) == [n for n, length in enumerate(lengths) if length]
    assert torch.equal(steps.restore(steps.arrange(rows)), rows)
