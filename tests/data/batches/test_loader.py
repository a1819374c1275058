"""The loader: every row once, resumed anywhere, the same for any workers, disjoint over ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset
from headway.data.batches.batch import Batch
from headway.data.batches.buckets import Cut, PaddedBudget, RowCount, TokenBudget
from headway.data.batches.loader import Loader
from headway.data.batches.packing import Blocks, Packing
from headway.data.batches.prefetch import Processes, Threads
from headway.errors import ConfigError, DataError

CUTS = [TokenBudget(20), PaddedBudget(40), RowCount(4), Packing(25, 2), Blocks(9, 2)]


def rows_of(lengths: list[int]) -> Dataset:
    """Rows whose tokens say where they stand: row * 100 + place."""
    ids = [[row * 100 + place for place in range(n)] for row, n in enumerate(lengths)]
    return Dataset(
        pa.table(
            {
                "ids": pa.array(ids, pa.list_(pa.int32())),
                "tags": pa.array([[-n for n in row] for row in ids], pa.list_(pa.int64())),
                "label": pa.array(range(len(ids)), pa.int64()),
                "text": [str(row) for row in range(len(ids))],
            }
        )
    )


MANY = rows_of([n * 7 % 23 for n in range(150)])


def make(data: Dataset = MANY, cut: Cut = CUTS[0], **options: Any) -> Loader[Batch]:
    options = {"window": 40, "columns": ["label", "text"], "aligned": ["tags"], **options}
    return Loader(data, cut, **options)


def said(batch: Batch) -> tuple[Any, ...]:
    """All that a batch holds, as plain values."""
    assert np.array_equal(batch["ids"], -batch["tags"])
    assert np.array_equal(batch["label"], batch.rows)
    assert batch["text"].to_pylist() == [str(row) for row in batch.rows]
    places = np.repeat(batch.rows * 100, batch.lengths) + batch.positions
    assert np.array_equal(batch["ids"], places)
    numbers = (batch.rows, batch.starts, batch.offsets, batch.sequences)
    return tuple(tuple(one.tolist()) for one in numbers)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 30), max_size=80),
    st.sampled_from(CUTS),
    st.integers(1, 4),
    st.integers(1, 50),
    st.integers(0, 2**40),
)
def test_every_token_once_over_all_ranks(
    lengths: list[int], cut: Cut, world: int, window: int, seed: int
) -> None:
    data = rows_of(lengths)
    loaders = [
        make(data, cut, world=world, rank=rank, window=window, seed=seed) for rank in range(world)
    ]
    for epoch in range(2):
        steps = {len(loader) for loader in loaders}
        batches = [list(loader) for loader in loaders]
        assert {len(one) for one in batches} == steps and len(steps) == 1
        tokens = [n for part in batches for batch in part for n in batch["ids"].tolist()]
        assert sorted(tokens) == sorted(n for row in data["ids"] for n in row)
        for part in batches:
            for batch in part:
                said(batch)
                kept = batch.tokens <= 20 or len(batch) == 1
                assert kept or not isinstance(cut, TokenBudget)
        assert [loader.state()["epoch"] for loader in loaders] == [epoch + 1] * world


@pytest.mark.parametrize("cut", CUTS, ids=repr)
@pytest.mark.parametrize("world", [1, 3])
def test_resumed_anywhere_it_goes_on_as_if_it_had_not_been_left(cut: Cut, world: int) -> None:
    whole = make(cut=cut, world=world, rank=world - 1, seed=5)
    whole.set_epoch(3)
    states, batches = [whole.state()], []
    for _ in range(2):
        for batch in whole:
            batches.append(said(batch))
            states.append(whole.state())
    assert states[-1]["epoch"] == 5
    for place, state in enumerate(states):
        state = json.loads(json.dumps(state))
        resumed = make(cut=cut, world=world, rank=world - 1, seed=5).at(state)
        assert resumed.state() == state
        following = [said(batch) for _ in range(5 - state["epoch"]) for batch in resumed]
        assert following == batches[place:]


@pytest.mark.parametrize("workers", [None, Threads(1), Threads(4, ahead=0), Processes(2)], ids=repr)
def test_workers_change_nothing(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make(seed=2)
    expected = [(said(batch), plain.state()) for batch in plain]
    monkeypatch.setattr("headway.data.batches.loader._TOKENS_AT_ONCE", 30)
    loader = make(seed=2, workers=workers)
    assert [(said(batch), loader.state()) for batch in loader] == expected
    half = loader.at(expected[7][1])
    assert [said(batch) for batch in half] == [one for one, _ in expected[8:]]


def test_a_loop_that_is_left_is_continued_and_begun_anew_when_asked() -> None:
    loader = make(workers=Threads(2))
    expected = [said(batch) for batch in make()]
    for number, _ in enumerate(loader):
        if number == 4:
            break
    assert [said(batch) for batch in loader] == expected[5:]
    second = [said(batch) for batch in loader]
    assert second != expected and sorted(sum((b[0] for b in second), ())) == list(range(150))
    loader.set_epoch(0)
    assert [said(batch) for batch in loader] == expected


@pytest.mark.parametrize("workers", [None, Processes(2)], ids=repr)
def test_a_transform_is_given_out_in_place_of_the_batch(workers: Any) -> None:
    loader: Loader[int] = Loader(
        MANY, RowCount(8), transform=lambda batch: batch.tokens, workers=workers
    )
    assert sum(loader) == sum(map(len, MANY["ids"]))


@settings(deadline=None)
@given(st.integers(0, 60), st.lists(st.integers(0, 60), max_size=4))
def test_chunks_do_not_matter(rows: int, cuts: list[int]) -> None:
    data = rows_of([n * 7 % 23 for n in range(rows)])
    ends = sorted(min(cut, rows) for cut in cuts)
    table = pa.concat_tables(
        data.to_arrow().slice(a, b - a) for a, b in zip([0, *ends], [*ends, rows], strict=True)
    )
    chunked = Dataset(table)
    assert [said(b) for b in make(chunked)] == [said(b) for b in make(data)]


@settings(deadline=None)
@given(st.data(), st.sampled_from(CUTS), st.integers(1, 3))
def test_rows_in_an_order_are_as_if_they_had_been_copied(
    drawn: st.DataObject, cut: Cut, world: int
) -> None:
    size = drawn.draw(st.integers(1, 60))
    table = rows_of([n * 7 % 23 for n in range(size)]).to_arrow()
    ids = table["ids"].to_pylist()
    for row in drawn.draw(st.sets(st.integers(0, size - 1), max_size=3)):
        ids[row] = None
    table = table.set_column(0, "ids", pa.array(ids, pa.list_(pa.int32())))
    whole = Dataset(pa.concat_tables([table[: size // 2], table[size // 2 :]]))
    there = [row for row in range(size) if ids[row] is not None]
    order = drawn.draw(st.lists(st.sampled_from(there), max_size=90)) if there else []
    chosen = whole.select(order)
    options: dict[str, Any] = {
        "aligned": ["tags"],
        "columns": ["label", "text"],
        "window": 40,
        "world": world,
        "rank": drawn.draw(st.integers(0, world - 1)),
    }
    lazy = Loader(chosen, cut, **options)
    copied = Loader(Dataset(table.take(pa.array(order, pa.int64()))), cut, **options)
    assert lazy.state() == copied.state() and len(lazy) == len(copied)
    for one, other in zip(lazy, copied, strict=True):
        for part in ("rows", "starts", "offsets", "sequences"):
            assert getattr(one, part).tolist() == getattr(other, part).tolist()
        for name in ("ids", "tags", "label"):
            assert one[name].tolist() == other[name].tolist()
            assert one[name].dtype == other[name].dtype
        assert one["text"].equals(other["text"])
        assert one["label"].tolist() == [order[row] for row in one.rows]


def test_values_that_miss_are_named_by_their_row_in_the_data_set() -> None:
    data = Dataset.from_columns({"ids": [[1], [2], None, [4, None]], "n": [0, 1, None, 3]})
    whole = data.select([1, 0])
    labels = [one["n"] for one in Loader(whole, RowCount(2), columns=["n"], shuffle=False)]
    assert isinstance(labels[0], np.ndarray) and labels[0].tolist() == [1, 0]
    with pytest.raises(DataError, match="'ids' misses a value in 2 rows, the first is row 1"):
        Loader(data.select([0, 3, 1, 2]), RowCount(2))
    misaligned = data.map(lambda row: {"tags": [1, 2]}).select([1, 0])
    with pytest.raises(DataError, match="row 0 has 2 values in 'tags' and 1 in 'ids'"):
        list(Loader(misaligned, RowCount(2), aligned=["tags"], shuffle=False))


@pytest.mark.parametrize("workers", [None, Threads(2), Processes(2)], ids=repr)
def test_a_shuffled_data_set_is_not_copied(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 60_000
    data = Dataset.from_columns(
        {
            "ids": pa.array([[n] * 20 for n in range(rows)], pa.list_(pa.int32())),
            "label": range(rows),
            "text": ["x" * 100] * rows,
        }
    ).shuffle(seed=4)
    for name in ("to_arrow", "column", "__iter__"):
        monkeypatch.setattr(Dataset, name, lambda *_: pytest.fail("the data set was copied"))
    tracemalloc.start()
    before, highest, seen = pa.total_allocated_bytes(), 0, 0
    loader = Loader(data, TokenBudget(4000), columns=["label", "text"], workers=workers, window=512)
    for batch in loader:
        highest = max(highest, pa.total_allocated_bytes() - before)
        assert (batch["ids"][::20] == batch["label"]).all()
        seen += len(batch)
    ours = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == rows
    size = data.rows.table.nbytes
    assert highest < size / 10 and ours < size / 4


@pytest.mark.parametrize("tokens", [None, "ids"])
def test_long_texts_are_not_gathered_a_window_at_a_time(tokens: str | None) -> None:
    texts = [str(row) * (200_000 // len(str(row))) for row in range(200)]
    data = Dataset.from_columns({"ids": [[row] for row in range(200)], "text": texts})
    before, highest, seen = pa.total_allocated_bytes(), 0, set()
    for batch in Loader(data, RowCount(2), tokens=tokens, columns=["text"]):
        highest = max(highest, pa.total_allocated_bytes() - before)
        assert batch["text"].to_pylist() == [texts[row] for row in batch.rows]
        seen |= set(batch.rows.tolist())
    assert len(seen) == 200
    assert highest < data.rows.table.nbytes / 3


def test_rows_without_tokens_or_no_rows_at_all() -> None:
    for cut in CUTS:
        for lengths in ([], [0], [0] * 90):
            loader = make(rows_of(lengths), cut)
            seen = [row for batch in loader for row in batch.rows.tolist()]
            assert sorted(seen) == ([] if isinstance(cut, Blocks) else list(range(len(lengths))))
            assert loader.state()["epoch"] == 1


def test_without_a_token_column_each_row_counts_one() -> None:
    loader: Loader[Batch] = Loader(MANY, TokenBudget(8), tokens=None, columns=["text"])
    batches = list(loader)
    assert {len(batch) for batch in batches} == {8, 150 % 8}
    assert sorted(int(t) for b in batches for t in b["text"].to_pylist()) == list(range(150))
    with pytest.raises(DataError, match="no column 'ids' in the batch"):
        batches[0]["ids"]


def test_padded_batches_keep_their_budget() -> None:
    loader = make(cut=PaddedBudget(64, multiple_of=8))
    for batch in loader:
        places = batch.padded("ids", value=-1, multiple_of=8)
        assert places.size <= 64 and places.shape[1] % 8 == 0
        assert (places >= 0).sum() == batch.tokens


def test_batches_do_not_share_their_memory() -> None:
    expected = [said(batch) for batch in make()]
    found = []
    for batch in make():
        found.append(said(batch))
        for one in (batch.rows, batch.starts, batch.offsets, batch["ids"], batch["label"]):
            one[...] = -7
    assert found == expected


CODE = """
from tests.data.batches.test_loader import make, said
print([said(batch) for batch in make(seed=9)])
"""


def test_other_processes_with_other_hash_seeds_give_the_same() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", CODE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "22")
    }
    assert outputs == {f"{[said(batch) for batch in make(seed=9)]}\n"}


def test_states_that_do_not_fit_are_refused() -> None:
    loader = make()
    for other in (make(seed=1), make(cut=CUTS[1]), make(rows_of([1])), make(world=2)):
        with pytest.raises(ConfigError, match=r"a state of other settings.*set_epoch"):
            loader.at(other.state())
    state = loader.state()
    for wrong in ({}, {**state, "step": -1}, {**state, "step": "1"}, {**state, "more": 1}):
        with pytest.raises(ConfigError, match="is no state of a Loader"):
            loader.at(wrong)
    for beyond in ({**state, "window": 99}, {**state, "step": 10**6}):
        with pytest.raises(ConfigError, match="the rows have other lengths than they had"):
            next(iter(loader.at(beyond)))
    assert make(rank=1, world=2).at(make(rank=0, world=2).state()).state()["step"] == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rank": 2, "world": 2}, ConfigError, "rank=2 with world=2. Allowed: 0 to 1"),
        ({"rank": -1}, ConfigError, "rank=-1"),
        ({"tokens": None}, ConfigError, "aligned columns without tokens"),
        ({"tokens": "id"}, DataError, "no column 'id'"),
        ({"tokens": "label"}, DataError, "column 'label' is int64. Allowed: lists of numbers"),
        ({"columns": ["lable"]}, DataError, "no column 'lable'.*did you mean 'label'"),
        ({"columns": ["ids"]}, ConfigError, "column 'ids' twice"),
    ],
)
def test_arguments_that_cannot_be(options: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make(**options)


def test_values_that_are_not_one_a_token_are_refused_with_their_row() -> None:
    data = Dataset.from_columns({"ids": [[1, 2], [3]], "tags": [[1, 2], [3, 4]]})
    with pytest.raises(DataError, match="row 1 has 2 values in 'tags' and 1 in 'ids'"):
        list(Loader(data, RowCount(2), aligned=["tags"]))
    loader = make()
    with pytest.raises(ConfigError, match="epoch -1"):
        loader.set_epoch(-1)


def test_batches_beyond_32_bits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.data.batches.loader._MOST_TOKENS", 90)
    monkeypatch.setattr("headway.data.batches.loader._TOKENS_AT_ONCE", 1)
    assert sum(len(batch) for batch in make(cut=TokenBudget(90))) == 150
    with pytest.raises(ConfigError, match=r"a batch of \d+ tokens. Allowed: up to 90"):
        list(make(cut=RowCount(40)))


@pytest.mark.parametrize("world", [1, 2])
def test_behind_so_many_steps_of_an_epoch(world: int) -> None:
    data = Dataset.from_columns({"ids": [[n] * (1 + n % 5) for n in range(300)]})
    loader = Loader(data, TokenBudget(12), seed=3, window=64, block=4, world=world)
    for epoch in (0, 2):
        loader.set_epoch(epoch)
        whole = [batch.rows.tolist() for batch in loader]
        for steps in (0, 1, len(whole) // 2, len(whole) - 1, len(whole)):
            behind = loader.behind(epoch, steps)
            assert [batch.rows.tolist() for batch in behind] == whole[steps:]
            assert behind.state()["epoch"] == epoch + 1
        with pytest.raises(ConfigError, match="behind the end"):
            loader.behind(epoch, len(whole) + 1)
