"""JAX's views. `test_views.py` runs this file in a process of its own."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pytest

from headway.errors import DataError

from .test_views import NUMBERS, address, table


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_jax_holds_the_same_and_shares_what_begins_at_64_bytes(kind: pa.DataType) -> None:
    with jax.enable_x64(True):
        whole = table(range(100), kind)
        per_line = 64 * 8 // kind.bit_width
        for data, shares in ((whole, True), (whole[per_line:], True), (whole[1:], False)):
            array = data.to_jax("x")
            assert array.dtype == data.to_numpy("x").dtype
            assert array.tolist() == data["x"]
            assert (array.unsafe_buffer_pointer() == address(data)) is shares
        vectors = table([[n] * 4 for n in range(50)], pa.list_(kind, 4))
        array = vectors.to_jax("x")
        assert array.shape == (50, 4) and array.unsafe_buffer_pointer() == address(vectors)
        assert array.tolist() == vectors["x"]


def test_jax_outlives_the_data_set() -> None:
    array = table(range(10_000), pa.int32()).to_jax("x")
    gc.collect()
    others = [table([7] * 10_000, pa.int32()) for _ in range(9)]
    assert array.tolist() == list(range(10_000))
    assert others[0]["x"][0] == 7


def test_jax_without_64_bits() -> None:
    assert table([True, False]).to_jax("x").tolist() == [True, False]
    assert table([2**31 - 1]).to_jax("x").tolist() == [2**31 - 1]
    assert table([0.5, None]).to_jax("x").dtype == np.float32
    for number in (2**31, -(2**31) - 1):
        with pytest.raises(DataError, match=r"whole numbers beyond the int32.*jax_enable_x64"):
            table([number]).to_jax("x")
    with pytest.raises(DataError, match=r"whole numbers beyond the uint32"):
        table([2**32], pa.uint64()).to_jax("x")
    with jax.enable_x64(True):
        assert table([2**31]).to_jax("x").tolist() == [2**31]


@pytest.mark.parametrize(
    ("values", "column", "says"),
    [
        ([1, None], "x", "misses a value in 1 rows, the first is row 1"),
        (["a"], "x", "Allowed: numbers"),
        ([[1, 2]], "x", "Allowed: numbers"),
        ([1], "y", "no column 'y'"),
    ],
)
def test_what_is_refused(values: list[Any], column: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        table(values).to_jax(column)


def test_rows_in_an_order_are_shared_once_they_are_gathered() -> None:
    data = table(range(100), pa.int32()).shuffle(seed=3)
    array = data.to_jax("x")
    assert array.tolist() == data["x"]
    assert array.unsafe_buffer_pointer() == data.to_numpy("x").ctypes.data


def test_dlpack_is_taken_where_it_lies() -> None:
    data = table([3, 1, 2], pa.int32())
    with warnings.catch_warnings():
        # JAX asks for the unversioned capsule, which Arrow gives and deprecates.
        warnings.filterwarnings("ignore", "Exporting an unversioned DLPack", DeprecationWarning)
        array = jnp.from_dlpack(data.to_dlpack("x"))
    assert array.tolist() == [3, 1, 2]
    assert array.unsafe_buffer_pointer() == address(data)
