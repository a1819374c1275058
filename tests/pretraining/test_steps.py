"""Steps of an epoch: every block once, in an order that any place of it can go on from."""

from __future__ import annotations

import random

import pytest

from headway import Dataset
from headway.errors import ConfigError
from headway.pretraining.corpus import Around
from headway.pretraining.steps import FEW, TOGETHER, cut_of, epochs_of
from headway.training.collate import Batch
from headway.training.loop import COUNTED, Epochs

BLOCKS = Dataset.from_columns({"ids": [[n] * 6 for n in range(100)]})
PUT = Around((200,), (201,))


LENGTHS = [random.Random(n // 32).randint(1, 6) for n in range(TOGETHER * 3)]
MANY = Dataset.from_columns({"ids": [[7] * length for length in LENGTHS]})
"""More blocks than are cut together: epochs differ by some steps where these are not joined."""


def epochs(joined: bool = True, blocks: Dataset = BLOCKS, **settings: int | None) -> Epochs[Batch]:
    cut = cut_of(PUT, batch_tokens=40, window=8, joined=joined)
    given = {"epochs": None, "most": None, **settings}
    return epochs_of(blocks, PUT, cut, seed=0, epochs=given["epochs"], most=given["most"])


@pytest.mark.parametrize("joined", [True, False])
def test_every_block_once(joined: bool) -> None:
    (one,) = epochs(joined)
    read = [window for batch in one for window in batch.windows]
    assert sorted(window[1] for window in read) == list(range(100))
    assert all(window[0] == 200 and window[-1] == 201 and len(window) == 8 for window in read)
    assert all(batch.tokens <= 40 for batch in one) and len(list(one)) == len(one)
    assert [window[1] for window in read] != list(range(100))


def test_any_place_goes_on() -> None:
    first, second = epochs(epochs=2)
    for epoch in (first, second):
        whole = [batch.windows for batch in epoch]
        for place in (0, 1, 7, len(epoch) - 1, len(epoch)):
            rest = epoch[place:]
            assert [batch.windows for batch in rest] == whole[place:] and len(rest) == len(
                whole[place:]
            )
        assert epoch[3].windows == whole[3] and epoch[-1].windows == whole[-1]
        assert [b.windows for b in epoch[2:][3:]] == whole[5:]
        with pytest.raises(IndexError):
            epoch[len(epoch)]
    assert [b.windows for b in first] != [b.windows for b in second]


def test_as_many_epochs_as_steps_need() -> None:
    steps = len(epochs()[0])
    assert len(epochs(most=steps)) == 1 and len(epochs(most=steps + 1)) == 2
    assert len(epochs(epochs=3)) == 3
    assert len(epochs(epochs=3, most=1)) == 1


@pytest.mark.parametrize("joined", [True, False])
def test_steps_of_all_epochs(joined: bool) -> None:
    for blocks in (BLOCKS, MANY):
        found = epochs(joined, blocks, epochs=4)
        lengths = [len(epoch) for epoch in found]
        assert found.steps == sum(lengths) and len(lengths) == 4
        assert (len(set(lengths)) > 1) == (blocks is MANY and not joined)
        most = sum(lengths[:2]) + 1
        assert len(epochs(joined, blocks, most=most)) == 3
        assert len(epochs(joined, blocks, epochs=4, most=most)) == 3
        assert epochs(joined, blocks, most=most).steps >= most


@pytest.mark.parametrize("joined", [True, False])
def test_a_great_many_steps_are_not_counted(joined: bool) -> None:
    most = 10**12
    alike = epochs(joined, most=most)
    assert len(alike) == -(-most // len(alike[0])) and alike.steps >= most
    assert epochs(joined, epochs=10**9).steps == 10**9 * len(alike[0])
    many = epochs(joined, MANY, most=most)
    longest = max(len(many[number]) for number in range(FEW))
    assert len(many) >= most / longest and many.steps == most
    with pytest.raises(ConfigError, match=f"up to {COUNTED}"):
        epochs(joined, MANY, epochs=10**9)
