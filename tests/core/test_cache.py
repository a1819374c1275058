"""The cache keeps every sequence's keys together, in order, however the calls were cut."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.core.cache import Cache
from headway.core.layout import Layout


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5))
def test_keys_lie_as_if_read_at_once(steps: list[tuple[int, int]]) -> None:
    cache = Cache(sequences=2, layers=1)
    texts: list[list[float]] = [[], []]
    layer = cache.self_attention[0]
    for lengths in steps:
        new: list[float] = []
        for number, length in enumerate(lengths):
            fresh = [100.0 * number + len(texts[number]) + n for n in range(length)]
            texts[number] += fresh
            new += fresh
        before = cache.layout.lengths
        extension = cache.advance(Layout(lengths))
        assert extension.new.past == before
        keys = torch.tensor(new).view(-1, 1, 1)
        got_keys, got_values = layer.extend(keys, keys + 0.5, extension)
        assert extension.total.lengths == tuple(map(len, texts))
        assert got_keys.flatten().tolist() == texts[0] + texts[1]
        assert torch.equal(got_values, got_keys + 0.5)


def test_positions_go_on() -> None:
    cache = Cache(sequences=2, layers=1)
    cache.advance(Layout((3, 1)))
    assert cache.advance(Layout((1, 2))).new.positions.tolist() == [3, 1, 2]
    assert cache.layout.lengths == (4, 3)
