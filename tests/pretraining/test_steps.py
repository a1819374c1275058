"""Steps of an epoch: every block once, in an order that any place of it can go on from."""

from __future__ import annotations

import pytest

from headway import Dataset
from headway.pretraining.corpus import Around
from headway.pretraining.steps import Epoch, epochs_of, loader_of

BLOCKS = Dataset.from_columns({"ids": [[n] * 6 for n in range(100)]})
PUT = Around((200,), (201,))


def epochs(joined: bool = True, **settings: int | None) -> list[Epoch]:
    loader = loader_of(BLOCKS, batch_tokens=40, window=8, put=PUT, joined=joined, seed=0)
    given = {"epochs": None, "most": None, **settings}
    return epochs_of(loader, PUT, epochs=given["epochs"], most=given["most"])


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
