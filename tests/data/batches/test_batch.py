"""A batch: places, padding, masks and tensors say the same as the rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.core.layout import Layout
from headway.data.batches.batch import Batch
from headway.errors import ConfigError, DataError


def batch(sequences: list[list[list[int]]], **columns: Any) -> Batch:
    """A batch of sequences of pieces of tokens."""
    pieces = [piece for sequence in sequences for piece in sequence]
    sizes = [sum(map(len, sequence)) for sequence in sequences]
    return Batch(
        rows=np.arange(len(pieces)),
        starts=np.zeros(len(pieces), np.int64),
        offsets=np.cumsum([0, *map(len, pieces)], dtype=np.int32),
        sequences=np.cumsum([0, *sizes], dtype=np.int32),
        ragged={"ids": np.array([n for piece in pieces for n in piece], dtype=np.int32)},
        columns=columns,
    )


PIECES = st.lists(st.integers(1, 99), max_size=6)


@settings(deadline=None)
@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=3), max_size=6),
    st.sampled_from(["left", "right"]),
    st.sampled_from([1, 4]),
)
def test_padded_sequences(sequences: list[list[list[int]]], side: str, multiple: int) -> None:
    made = batch(sequences)
    flat = [[n for piece in sequence for n in piece] for sequence in sequences]
    longest = -(-max(map(len, flat), default=0) // multiple) * multiple
    for value in (0, -1):
        expected = [
            [value] * (longest - len(one)) + one
            if side == "left"
            else one + [value] * (longest - len(one))
            for one in flat
        ]
        found = made.padded("ids", value=value, side=side, multiple_of=multiple)
        assert found.tolist() == expected and found.dtype == np.int32
        mask = made.mask(side=side, multiple_of=multiple)
        assert mask.shape == found.shape == (len(sequences), longest)
        assert np.array_equal(found[mask], made["ids"])
    assert made.tokens == sum(map(len, flat))
    pieces = [piece for sequence in sequences for piece in sequence]
    assert made.lengths.tolist() == [len(piece) for piece in pieces]
    assert made.positions.tolist() == [n for piece in pieces for n in range(len(piece))]
    assert len(made) == len(pieces)


def test_a_batch_of_nothing() -> None:
    empty = batch([])
    assert len(empty) == empty.tokens == 0
    assert empty.padded("ids").shape == empty.mask().shape == (0, 0)
    assert empty.torch()["ids"].shape == (0,)


def test_positions_go_on_in_the_second_part_of_a_row() -> None:
    made = Batch(
        rows=np.array([3, 1]),
        starts=np.array([5, 0]),
        offsets=np.array([0, 2, 4], np.int32),
        sequences=np.array([0, 4], np.int32),
    )
    assert made.positions.tolist() == [5, 6, 0, 1]


def test_tensors_share_memory_without_a_warning_and_fit_the_layout() -> None:
    made = batch([[[5, 6, 7]], [[8]]], label=np.array([1, 0]), text=pa.array(["a", "b"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensors = made.torch()
    assert set(tensors) == {"rows", "starts", "offsets", "sequences", "ids", "label"}
    tensors["ids"][0] = 9
    assert made["ids"].tolist() == [9, 6, 7, 8]
    layout = Layout(tuple(made.lengths.tolist()))
    assert torch.equal(layout.boundaries, tensors["offsets"].long())
    assert layout.pad(tensors["ids"]).tolist() == made.padded("ids").tolist()
    assert made["text"].to_pylist() == ["a", "b"]


def test_what_is_not_there() -> None:
    made = batch([[[5]]], label=np.array([1]))
    with pytest.raises(DataError, match=r"no column 'idz'.*did you mean 'ids'.*ids, label"):
        made["idz"]
    with pytest.raises(DataError, match="no column 'idz'"):
        made.padded("idz")
    with pytest.raises(DataError, match="'label' has one value a row"):
        made.padded("label")
    with pytest.raises(ConfigError, match="side='middle'"):
        made.padded("ids", side="middle")
    with pytest.raises(ConfigError, match="multiple_of=0"):
        made.mask(multiple_of=0)
    with pytest.raises(DataError, match="a column named 'rows'"):
        batch([[[5]]], rows=np.array([1])).torch()


@pytest.mark.skipif(torch.accelerator.is_available(), reason="this machine has a GPU")
def test_memory_is_not_locked_for_a_gpu_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="this machine has no GPU"):
        batch([[[5]]]).torch(pin=True)


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="this machine has no GPU")
def test_memory_locked_for_a_gpu_holds_the_same() -> None:
    tensors = batch([[[5, 6]]]).torch(pin=True)
    assert all(tensor.is_pinned() for tensor in tensors.values())
    assert tensors["ids"].tolist() == [5, 6]
