"""Views: which share memory, which copy, which are refused, and that all say the same values."""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import Dataset
from headway.errors import ConfigError, DataError, InputError

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


def table(values: Any, kind: pa.DataType | None = None) -> Dataset:
    return Dataset(pa.table({"x": pa.array(values, kind)}))


def address(data: Dataset) -> int:
    array = data.column("x").chunk(0)
    while hasattr(array, "flatten") and pa.types.is_nested(array.type):
        array = array.flatten()
    return int(array.buffers()[1].address + array.offset * array.type.bit_width // 8)


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
@pytest.mark.parametrize("sliced", [False, True])
def test_numbers_share_their_memory(kind: pa.DataType, sliced: bool) -> None:
    data = table([3, 1, 2, 5], kind)
    data = data[1:3] if sliced else data
    array, tensor = data.to_numpy("x", copy=False), data.to_torch("x", copy=False)
    assert array.ctypes.data == tensor.data_ptr() == address(data)
    assert not array.flags.writeable
    assert array.tolist() == tensor.tolist() == data.column("x").to_pylist()
    assert np.from_dlpack(data.to_dlpack("x")).ctypes.data == address(data)
    assert str(tensor.dtype).removeprefix("torch.") == array.dtype.name


def test_vectors_share_their_memory_and_have_two_dimensions() -> None:
    data = table([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32(), 2))[1:]
    array, tensor = data.to_numpy("x", copy=False), data.to_torch("x")
    assert array.ctypes.data == tensor.data_ptr() == address(data)
    assert array.tolist() == tensor.tolist() == [[3, 4], [5, 6]]


def test_times_share_their_memory_with_numpy_and_are_no_tensors() -> None:
    data = table([10, 20], pa.timestamp("ms"))
    array = data.to_numpy("x", copy=False)
    assert array.ctypes.data == address(data)
    assert array.dtype == np.dtype("datetime64[ms]")
    with pytest.raises(DataError, match="is timestamp"):
        data.to_torch("x")


def test_a_copy_is_ones_own() -> None:
    data = table([1, 2, 3], pa.int64())
    array, tensor = data.to_numpy("x", copy=True), data.to_torch("x", copy=True)
    array[0], tensor[1] = 9, 9
    vectors = table([[1], [2]], pa.list_(pa.int8(), 1)).to_torch("x", copy=True)
    vectors += 1
    assert data.column("x").to_pylist() == [1, 2, 3]
    assert vectors.tolist() == [[2], [3]]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (table([True, False]), "a bit for each value"),
        (table([1.5, None]), "double"),
        (table(["a"]), "string"),
        (table([1]).concatenate(table([2])), "2 chunks"),
        (table(pa.array([3, 1, 3]).dictionary_encode()), "dictionary<.*"),
    ],
)
def test_a_copy_that_is_not_allowed_is_refused(data: Dataset, why: str) -> None:
    with pytest.raises(DataError, match=rf"'x' \({why}\) cannot be handed over without a copy"):
        data.to_numpy("x", copy=False)


def test_what_is_copied_says_the_same_and_may_be_written() -> None:
    chunks = table([1, 2]).concatenate(table([3]))
    assert chunks.to_numpy("x").tolist() == chunks.to_torch("x").tolist() == [1, 2, 3]
    flags = table([True, False]).to_numpy("x")
    assert flags.dtype == bool and flags.flags.writeable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert table([True, False]).to_torch("x").tolist() == [True, False]
        holes = table([0.5, None]).to_torch("x")
    assert holes[0] == 0.5 and holes[1].isnan()
    assert table(["a", None, "b"]).to_numpy("x").tolist() == ["a", None, "b"]
    words = table(pa.array(["a", "b", "a"]).dictionary_encode())
    assert words.to_numpy("x").tolist() == ["a", "b", "a"]


@pytest.mark.parametrize("values", [[1, None], [True, None]])
@pytest.mark.parametrize("view", [Dataset.to_numpy, Dataset.to_torch])
def test_missing_values_that_the_type_cannot_say(values: list[Any], view: Any) -> None:
    with pytest.raises(DataError, match="misses a value in 1 rows, the first is row 1"):
        view(table(values), "x")


@pytest.mark.parametrize("values", [["a"], [[1, 2]], [{"a": 1}], [b"x"]])
@pytest.mark.parametrize("view", [Dataset.to_torch, Dataset.to_dlpack])
def test_what_is_no_number_is_no_tensor(values: list[Any], view: Any) -> None:
    with pytest.raises(DataError, match="Allowed: numbers"):
        view(table(values), "x")


@pytest.mark.parametrize("values", [[True], [1, None]])
def test_dlpack_refuses_what_it_cannot_say(values: list[Any]) -> None:
    with pytest.raises(DataError, match="without a copy"):
        table(values).to_dlpack("x")


@pytest.mark.parametrize(
    "view", [Dataset.to_numpy, Dataset.to_torch, Dataset.to_dlpack, Dataset.ragged]
)
def test_no_such_column(view: Any) -> None:
    for data in (table([1]), table([1, 2]).select([1, 0])):
        with pytest.raises(DataError, match="no column 'y'"):
            view(data, "y")


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_no_rows(kind: pa.DataType) -> None:
    empty = table([], kind)
    assert empty.to_numpy("x").shape == empty.to_torch("x").shape == (0,)
    assert Dataset(pa.table({"x": pa.chunked_array([], kind)})).to_torch("x").shape == (0,)
    assert table([], pa.list_(kind)).ragged("x")[1].tolist() == [0]


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
    parts = [whole[a:b] for a, b in zip([0, *ends], [*ends, len(rows)], strict=True)]
    for data, expected in ((parts[0].concatenate(*parts[1:]), rows), (whole[1:], rows[1:])):
        values, offsets = data.ragged("x")
        assert offsets[0] == 0 and len(offsets) == len(expected) + 1
        found = [values[a:b].tolist() for a, b in itertools.pairwise(offsets)]
        assert found == expected


def test_ragged_shares_its_memory() -> None:
    data = table([[1, 2], [3], [4]], pa.list_(pa.int32()))
    values, offsets = data[1:].ragged("x")
    assert values.ctypes.data == address(data) + 8
    assert not values.flags.writeable and not offsets.flags.writeable


def test_ragged_takes_lists_of_one_size() -> None:
    data = table([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2))
    for rows, expected in ((data, [1, 2, 3, 4, 5, 6]), (data[1:], [3, 4, 5, 6])):
        values, offsets = rows.ragged("x")
        assert values.tolist() == expected
        assert offsets.tolist() == list(range(0, len(expected) + 1, 2))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1], "is int64. Allowed: lists of numbers"),
        (["a"], "is string"),
        ([["a"]], "is list<"),
        ([[1], None], "misses a value in 1 rows, the first is row 1"),
        ([[1], [], [2, None]], "misses a value in 1 rows, the first is row 2"),
        ([[0.5, None]], "misses a value in 1 rows, the first is row 0"),
    ],
)
def test_ragged_refuses(values: list[Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        table(values).ragged("x")


def test_frames_hold_the_rows_and_share_numbers() -> None:
    data = Dataset(
        pa.table({"x": pa.array([1, 2], pa.int64()), "text": ["a", None], "y": [None, 0.5]})
    )
    frame = data.to_polars()
    assert frame.to_dicts() == list(data)
    assert frame["x"].to_numpy(allow_copy=False).ctypes.data == address(data)
    assert isinstance(frame, polars.DataFrame)
    pandas = data.to_pandas(arrow=True)
    assert pandas["text"].isna().tolist() == [False, True]
    held = pandas["x"].array.__arrow_array__().chunk(0)
    assert held.buffers()[1].address == address(data)
    assert data.to_pandas()["x"].tolist() == [1, 2]


def test_jax() -> None:
    """In a process of its own: JAX starts threads, and tests beside this one fork."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "views_in_jax.py"]
    found = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("read", [torch.from_dlpack, np.from_dlpack])
def test_dlpack_is_taken_by_other_libraries_where_it_lies(read: Any) -> None:
    data = table([3, 1, 2], pa.int32())
    array = read(data.to_dlpack("x"))
    assert array.tolist() == [3, 1, 2]
    place = array.data_ptr() if hasattr(array, "data_ptr") else array.ctypes.data
    assert place == address(data)


@settings(deadline=None)
@given(st.data())
def test_views_of_rows_in_an_order_are_those_of_a_table_in_it(drawn: st.DataObject) -> None:
    size = drawn.draw(st.integers(1, 40))
    numbers = np.arange(size)
    table = pa.table(
        {
            "n": numbers,
            "half": pa.array([n / 2 if n % 3 else None for n in range(size)]),
            "flag": numbers % 2 == 0,
            "vector": pa.array([[n, -n] for n in range(size)], pa.list_(pa.int16(), 2)),
            "ids": pa.array([[n] * (n % 4) for n in range(size)], pa.list_(pa.int32())),
            "text": [str(n) for n in range(size)],
        }
    )
    cut = drawn.draw(st.integers(0, size))
    table = pa.concat_tables([table[:cut], table[cut:]])
    order = drawn.draw(st.lists(st.integers(0, size - 1), max_size=50))
    chosen, taken = Dataset(table).select(order), Dataset(table.take(pa.array(order, pa.int64())))
    for name in ("n", "half", "flag", "vector", "text"):
        np.testing.assert_array_equal(chosen.to_numpy(name), taken.to_numpy(name))
    for name in ("n", "flag", "vector"):
        assert chosen.to_torch(name).equal(taken.to_torch(name))
    for one, other in zip(chosen.ragged("ids"), taken.ragged("ids"), strict=True):
        assert one.tolist() == other.tolist()
    assert chosen.to_polars().equals(taken.to_polars())
    assert chosen.to_pandas().equals(taken.to_pandas())
    assert chosen.rows.table.equals(taken.to_arrow())


@pytest.mark.parametrize("name", ["n", "vector"])
def test_of_rows_in_an_order_only_the_column_asked_for_is_gathered(name: str) -> None:
    rows = 100_000
    vectors = pa.FixedSizeListArray.from_arrays(np.arange(4 * rows), 4)
    columns = {"n": pa.array(np.arange(rows)), "vector": vectors, "text": ["x" * 100] * rows}
    data = Dataset.from_columns(columns).shuffle(seed=1)
    before = pa.total_allocated_bytes()
    view = data.to_numpy(name)
    assert pa.total_allocated_bytes() - before < 2 * view.nbytes
    assert view.ctypes.data == data.to_numpy(name, copy=False).ctypes.data
    assert view.ctypes.data == data.to_torch(name).data_ptr()
    expected = np.random.default_rng(1).permutation(rows)
    assert np.array_equal(view.reshape(rows, -1)[:, 0], expected * (4 if name == "vector" else 1))


def test_a_data_set_is_read_through_the_arrow_stream() -> None:
    data = Dataset.from_columns({"n": range(5), "t": ["a", None, "b", "", "c"]})
    for rows in (data, data.select([4, 0, 0]), data[:0], data.concatenate(data)):
        assert pa.table(rows).to_pylist() == list(rows)
        assert polars.DataFrame(rows).to_dicts() == list(rows)
        assert pa.table(rows, schema=pa.schema({"n": pa.int64(), "t": pa.string()})) == pa.table(
            rows
        )


@pytest.mark.parametrize("rows", [None, 1, 2, 100])
def test_batches_are_the_rows(rows: int | None) -> None:
    words = [pa.array(part).dictionary_encode() for part in (["a", "b", "a"], ["c", "a"])]
    columns = {"n": range(5), "word": pa.chunked_array(words)}
    data = Dataset.from_columns(columns)
    for chosen in (data, data.select([4, 0, 3, 3]), data[:0]):
        batches = list(chosen.to_batches(rows))
        assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
        assert max((batch.num_rows for batch in batches), default=0) <= (rows or 5)
        assert [row for batch in batches for row in batch.to_pylist()] == list(chosen)
    first = next(iter(data.to_batches()))
    assert first.column("n").buffers()[1].address == data.column("n").chunk(0).buffers()[1].address


@pytest.mark.parametrize("rows", [0, -1])
def test_batches_of_no_rows(rows: int) -> None:
    with pytest.raises(ConfigError, match=rf"to_batches\(rows={rows}\)"):
        table([1]).to_batches(rows)


@pytest.mark.parametrize(
    ("view", "package", "arguments"),
    [
        (Dataset.to_jax, "jax", ("x",)),
        (Dataset.to_polars, "polars", ()),
        (Dataset.to_pandas, "pandas", ()),
    ],
)
def test_a_package_that_is_not_installed(
    view: Any, package: str, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"needs .*not installed.*pip install {package}"):
        view(table([1]), *arguments)


def test_torch_comes_only_when_asked_for() -> None:
    code = """
import sys
from headway.data import Dataset
data = Dataset.from_columns({"x": [1], "ids": [[1]]})
data.to_numpy("x"), data.ragged("ids")
print("torch" in sys.modules)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
