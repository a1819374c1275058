"""Views: which share memory, which copy, which are refused, and that all say the same values."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset
from headway.data.views import (
    ragged,
    to_dlpack,
    to_jax,
    to_numpy,
    to_pandas,
    to_polars,
    to_torch,
)
from headway.errors import DataError, InputError

NUMBERS = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint16(),
    pa.uint32(),
    pa.uint64(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
]


def table(values: Any, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"x": pa.array(values, kind)})


def address(data: pa.Table) -> int:
    array = data.column("x").chunk(0)
    while hasattr(array, "flatten") and pa.types.is_nested(array.type):
        array = array.flatten()
    return int(array.buffers()[1].address + array.offset * array.type.bit_width // 8)


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
@pytest.mark.parametrize("sliced", [False, True])
def test_numbers_share_their_memory(kind: pa.DataType, sliced: bool) -> None:
    data = table([3, 1, 2, 5], kind)
    data = data.slice(1, 2) if sliced else data
    array, tensor = to_numpy(data, "x", copy=False), to_torch(data, "x", copy=False)
    assert array.ctypes.data == tensor.data_ptr() == address(data)
    assert not array.flags.writeable
    assert array.tolist() == tensor.tolist() == data.column("x").to_pylist()
    assert np.from_dlpack(to_dlpack(data, "x")).ctypes.data == address(data)
    assert str(tensor.dtype).removeprefix("torch.") == array.dtype.name
    assert to_torch(Dataset(data), "x").data_ptr() == address(data)


def test_vectors_share_their_memory_and_have_two_dimensions() -> None:
    data = table([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32(), 2)).slice(1)
    array, tensor = to_numpy(data, "x", copy=False), to_torch(data, "x")
    assert array.ctypes.data == tensor.data_ptr() == address(data)
    assert array.tolist() == tensor.tolist() == [[3, 4], [5, 6]]


def test_times_share_their_memory_with_numpy_and_are_no_tensors() -> None:
    data = table([10, 20], pa.timestamp("ms"))
    array = to_numpy(data, "x", copy=False)
    assert array.ctypes.data == address(data)
    assert array.dtype == np.dtype("datetime64[ms]")
    with pytest.raises(DataError, match="is timestamp"):
        to_torch(data, "x")


def test_a_copy_is_ones_own() -> None:
    data = table([1, 2, 3], pa.int64())
    array, tensor = to_numpy(data, "x", copy=True), to_torch(data, "x", copy=True)
    array[0], tensor[1] = 9, 9
    vectors = to_torch(table([[1], [2]], pa.list_(pa.int8(), 1)), "x", copy=True)
    vectors += 1
    assert data.column("x").to_pylist() == [1, 2, 3]
    assert vectors.tolist() == [[2], [3]]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (table([True, False]), "a bit for each value"),
        (table([1.5, None]), "double"),
        (table(["a"]), "string"),
        (pa.concat_tables([table([1]), table([2])]), "2 chunks"),
    ],
)
def test_a_copy_that_is_not_allowed_is_refused(data: pa.Table, why: str) -> None:
    with pytest.raises(DataError, match=rf"'x' \({why}\) cannot be handed over without a copy"):
        to_numpy(data, "x", copy=False)


def test_what_is_copied_says_the_same_and_may_be_written() -> None:
    chunks = pa.concat_tables([table([1, 2]), table([3])])
    assert to_numpy(chunks, "x").tolist() == to_torch(chunks, "x").tolist() == [1, 2, 3]
    flags = to_numpy(table([True, False]), "x")
    assert flags.dtype == bool and flags.flags.writeable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_torch(table([True, False]), "x").tolist() == [True, False]
        holes = to_torch(table([0.5, None]), "x")
    assert holes[0] == 0.5 and holes[1].isnan()
    assert to_numpy(table(["a", None, "b"]), "x").tolist() == ["a", None, "b"]
    words = pa.table({"x": pa.array(["a", "b", "a"]).dictionary_encode()})
    assert to_numpy(words, "x").tolist() == ["a", "b", "a"]


@pytest.mark.parametrize("values", [[1, None], [True, None]])
@pytest.mark.parametrize("view", [to_numpy, to_torch])
def test_missing_values_that_the_type_cannot_say(values: list[Any], view: Any) -> None:
    with pytest.raises(DataError, match="no value in 1 rows, the first is row 1"):
        view(table(values), "x")


@pytest.mark.parametrize("values", [["a"], [[1, 2]], [{"a": 1}], [b"x"]])
def test_what_is_no_number_is_no_tensor(values: list[Any]) -> None:
    for view in (to_torch, to_dlpack):
        with pytest.raises(DataError, match="Allowed: numbers"):
            view(table(values), "x")


@pytest.mark.parametrize("values", [[True], [1, None]])
def test_dlpack_refuses_what_it_cannot_say(values: list[Any]) -> None:
    with pytest.raises(DataError, match="without a copy"):
        to_dlpack(table(values), "x")


def test_no_such_column() -> None:
    for view in (to_numpy, to_torch, to_dlpack, ragged):
        for data in (table([1]), Dataset(table([1]))):
            with pytest.raises(DataError, match="no column 'y'"):
                view(data, "y")


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_no_rows(kind: pa.DataType) -> None:
    empty = table([], kind)
    assert to_numpy(empty, "x").shape == to_torch(empty, "x").shape == (0,)
    assert to_torch(pa.table({"x": pa.chunked_array([], kind)}), "x").shape == (0,)
    assert ragged(table([], pa.list_(kind)), "x")[1].tolist() == [0]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), max_size=12),
    st.lists(st.integers(0, 12), max_size=3),
    st.booleans(),
)
def test_ragged_is_the_rows(rows: list[list[int]], cuts: list[int], large: bool) -> None:
    kind = (pa.large_list if large else pa.list_)(pa.int32())
    whole = table(rows, kind)
    ends = sorted(min(cut, len(rows)) for cut in cuts)
    parts = [whole.slice(a, b - a) for a, b in zip([0, *ends], [*ends, len(rows)], strict=True)]
    for data, expected in ((pa.concat_tables(parts), rows), (whole.slice(1), rows[1:])):
        values, offsets = ragged(data, "x")
        assert offsets[0] == 0 and len(offsets) == len(expected) + 1
        found = [values[a:b].tolist() for a, b in itertools.pairwise(offsets)]
        assert found == expected


def test_ragged_shares_its_memory() -> None:
    data = table([[1, 2], [3], [4]], pa.list_(pa.int32()))
    values, offsets = ragged(data.slice(1), "x")
    assert values.ctypes.data == address(data) + 8
    assert not values.flags.writeable and not offsets.flags.writeable


def test_ragged_takes_lists_of_one_size() -> None:
    data = table([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2))
    for rows, expected in ((data, [1, 2, 3, 4, 5, 6]), (data.slice(1), [3, 4, 5, 6])):
        values, offsets = ragged(rows, "x")
        assert values.tolist() == expected
        assert offsets.tolist() == list(range(0, len(expected) + 1, 2))


@pytest.mark.parametrize("values", [[1], ["a"], [["a"]], [[1], None], [[1, None]]])
def test_ragged_refuses(values: list[Any]) -> None:
    with pytest.raises(DataError):
        ragged(table(values), "x")


def test_frames_hold_the_rows_and_share_numbers() -> None:
    data = Dataset(
        pa.table({"x": pa.array([1, 2], pa.int64()), "text": ["a", None], "y": [None, 0.5]})
    )
    frame = to_polars(data)
    assert frame.to_dicts() == list(data)
    assert frame["x"].to_numpy(allow_copy=False).ctypes.data == address(data.to_arrow())
    assert isinstance(frame, polars.DataFrame)
    pandas = to_pandas(data, arrow=True)
    assert pandas["text"].isna().tolist() == [False, True]
    held = pandas["x"].array.__arrow_array__().chunk(0)
    assert held.buffers()[1].address == address(data.to_arrow())
    assert to_pandas(data)["x"].tolist() == [1, 2]


def test_jax_holds_the_same() -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    for data in (table([3, 1], pa.int32()), table([[1, 2]], pa.list_(pa.float32(), 2))):
        assert to_jax(data, "x").tolist() == data.column("x").to_pylist()
    assert to_jax(table([True, False]), "x").tolist() == [True, False]
    assert to_jax(table([2**31 - 1]), "x").tolist() == [2**31 - 1]
    with pytest.raises(DataError, match=r"whole numbers beyond the int32.*jax_enable_x64"):
        to_jax(table([2**31]), "x")


@pytest.mark.parametrize(
    ("view", "package"), [(to_jax, "jax"), (to_polars, "polars"), (to_pandas, "pandas")]
)
def test_a_package_that_is_not_installed(
    view: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    arguments = (table([1]), "x") if package == "jax" else (table([1]),)
    with pytest.raises(InputError, match=f"needs .*not installed.*pip install {package}"):
        view(*arguments)


def test_torch_comes_only_when_asked_for() -> None:
    code = """
import sys
from headway.data import Dataset
from headway.data.views import to_numpy, ragged
data = Dataset.from_columns({"x": [1], "ids": [[1]]})
to_numpy(data, "x"), ragged(data, "ids")
print("torch" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
