"""The cache keeps every sequence's keys together, in order, however the calls were cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headway.core.cache import Cache, Roomy
from headway.core.layout import Layout

Steps = list[tuple[int, int]]
STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5)


class Written:
    """A cache of one layer, and what it should hold."""

    def __init__(self) -> None:
        self.cache = Cache(sequences=2, layers=1)
        self.texts: list[list[float]] = [[], []]
        self.fresh = 0.0

    def step(self, lengths: tuple[int, ...]) -> None:
        new: list[float] = []
        for text, length in zip(self.texts, lengths, strict=True):
            added = [self.fresh + n for n in range(length)]
            self.fresh += length
            text += added
            new += added
        before = self.cache.layout.lengths
        extension = self.cache.advance(Layout(lengths))
        assert extension.new.past == before
        keys = torch.tensor(new).view(-1, 1, 1)
        layer = self.cache.self_attention[0]
        got_keys, got_values = layer.extend(keys, keys + 0.5, extension)
        assert extension.total.lengths == tuple(map(len, self.texts))
        for wanted, got, values in zip(
            self.texts,
            extension.total.split(got_keys),
            extension.total.split(got_values),
            strict=True,
        ):
            assert got.flatten().tolist() == wanted
            assert torch.equal(values, got + 0.5)


@given(steps=STEPS)
def test_keys_lie_as_if_read_at_once(steps: Steps) -> None:
    written = Written()
    for lengths in steps:
        written.step(lengths)


@given(steps=STEPS, more=STEPS, data=st.data())
def test_sequences_are_chosen_and_cut(steps: Steps, more: Steps, data: st.DataObject) -> None:
    written = Written()
    for lengths in steps:
        written.step(lengths)
    kept = tuple(data.draw(st.integers(0, len(text))) for text in written.texts)
    written.cache.rewind(kept)
    order = data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=4))
    written.cache.select(order)
    written.texts = [written.texts[number][: kept[number]] for number in order]
    for lengths in more:
        written.step((lengths * 2)[: len(order)])


def test_a_cache_does_not_rewind_forwards() -> None:
    cache = Cache(sequences=2, layers=1)
    cache.advance(Layout((3, 1)))
    with pytest.raises(ValueError, match=r"of \(3, 1\) tokens has no \(3, 2\)"):
        cache.rewind((3, 2))


def test_room_grows_seldom() -> None:
    written = Written()
    rooms = set()
    for _ in range(200):
        written.step((1, 0))
        rooms.add(written.cache.room)
    assert len(rooms) < 7


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0], [1, 1, 0, 2]])
@pytest.mark.parametrize("settled", [True, False])
def test_memory_is_chosen_with_its_texts(order: list[int], settled: bool) -> None:
    cache, memory = Cache(sequences=3, layers=1), Layout((2, 1, 3))
    layer = cache.cross_attention[0]
    layer.keys = torch.arange(6.0).view(-1, 1, 1)
    layer.values = layer.keys + 0.5
    wanted = [memory.split(layer.keys)[number] for number in order]
    lies = cache.settle(memory) if settled else memory
    chosen = cache.select(order, lies)
    assert chosen is not None and isinstance(chosen, Roomy) == settled
    for got, values, want in zip(
        chosen.split(layer.keys), chosen.split(layer.values), wanted, strict=True
    ):
        assert torch.equal(got, want) and torch.equal(values, want + 0.5)


def test_positions_go_on() -> None:
    cache = Cache(sequences=2, layers=1)
    cache.advance(Layout((3, 1)))
    assert cache.advance(Layout((1, 2))).new.positions.tolist() == [3, 1, 2]
    assert cache.layout.lengths == (4, 3)
