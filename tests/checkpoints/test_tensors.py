"""Weight files: every format, and every way in which one can be broken or hostile."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from headway.checkpoints.tensors import read_tensors, write_tensors
from headway.errors import CheckpointError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b.bias": torch.ones(4).half()}


def refusal(folder: Path) -> str:
    """What is said of a folder whose weights cannot be read."""
    with pytest.raises(CheckpointError) as caught:
        read_tensors(folder)
    return str(caught.value)


def raw(folder: Path, header: object, data: bytes = b"", length: int | None = None) -> None:
    """A safetensors file, byte by byte."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = struct.pack("<Q", len(text) if length is None else length)
    (folder / "model.safetensors").write_bytes(size + text + data)


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "way", ["safetensors", "bin", "old-bin", "safetensors-shards", "bin-shards"]
)
def test_every_format_gives_the_tensors(tmp_path: Path, way: str) -> None:
    ending, save = ("safetensors", save_file) if "safetensors" in way else ("bin", torch.save)
    stem = "model" if ending == "safetensors" else "pytorch_model"
    if way == "old-bin":
        torch.save(TENSORS, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    elif "shards" in way:
        places = {}
        for number, (name, tensor) in enumerate(TENSORS.items(), 1):
            places[name] = f"{stem}-0000{number}-of-00002.{ending}"
            save({name: tensor}, tmp_path / places[name])
        index = {"metadata": {}, "weight_map": places}
        (tmp_path / f"{stem}.{ending}.index.json").write_text(json.dumps(index))
    else:
        save(TENSORS, tmp_path / f"{stem}.{ending}")
    found = read_tensors(tmp_path)
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tensors = {
        "transposed": torch.arange(6.0).reshape(2, 3).t(),
        "nan": torch.tensor([float("nan"), float("inf"), -0.0]),
        "bfloat16": torch.ones(2, dtype=torch.bfloat16),
        "empty": torch.zeros(0, 3),
    }
    write_tensors(tensors, tmp_path / "model.safetensors")
    for name, tensor in read_tensors(tmp_path).items():
        torch.testing.assert_close(tensor, tensors[name], rtol=0, atol=0, equal_nan=True)


def test_training_does_not_write_into_the_file(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()
    read_tensors(tmp_path)["a.weight"].zero_()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_norms_of_the_first_checkpoints(tmp_path: Path) -> None:
    old = {"x.LayerNorm.gamma": torch.ones(2), "x.LayerNorm.beta": torch.zeros(2)}
    save_file({**old, "y.gamma": torch.ones(1)}, tmp_path / "model.safetensors")
    assert set(read_tensors(tmp_path)) == {"x.LayerNorm.weight", "x.LayerNorm.bias", "y.gamma"}
    both = {**old, "x.LayerNorm.weight": torch.full((2,), 3.0)}
    save_file(both, tmp_path / "model.safetensors")
    found = read_tensors(tmp_path)
    assert set(found) == {"x.LayerNorm.weight", "x.LayerNorm.gamma", "x.LayerNorm.bias"}
    assert found["x.LayerNorm.weight"][0] == 3


def test_no_weights_says_what_is_there(tmp_path: Path) -> None:
    assert "holds no weights, only nothing" in refusal(tmp_path)
    (tmp_path / "model.fp16.safetensors").write_bytes(b"")
    (tmp_path / "model.safetensors").mkdir()
    said = refusal(tmp_path)
    assert "only model.fp16.safetensors, model.safetensors." in said
    assert "Allowed: model.safetensors, model.safetensors.index.json, pytorch_model.bin" in said


@pytest.mark.parametrize("kept", [0, 4, 8, 60, -1, -8])
def test_a_file_cut_short(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path)
    path.write_bytes(path.read_bytes()[:kept])
    assert f"{path} is cut short or corrupt" in refusal(tmp_path)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_end_in_tensors_or_in_one_message(damage: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file(TENSORS, path)
        content = bytearray(path.read_bytes())
        for place, value in damage:
            content[place % len(content)] = value
        path.write_bytes(content)
        try:
            found = read_tensors(Path(folder))
        except CheckpointError as error:
            assert str(path) in str(error)
        else:
            assert sum(tensor.nbytes for tensor in found.values()) <= len(content)


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bin_files_end_in_tensors_or_in_one_message(damage: list[tuple[int, int]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pytorch_model.bin"
        torch.save(TENSORS, path)
        content = bytearray(path.read_bytes())
        for place, value in damage:
            content[place % len(content)] = value
        path.write_bytes(content)
        try:
            found = read_tensors(Path(folder))
        except CheckpointError as error:
            assert str(path) in str(error)
        else:
            assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"{}", 2**63),
        (b"{}", 2**40),
        (b"{}", 1000),
        (b"{" * 50_000, None),
        (b"[]", None),
        (b'{"a": \xff}', None),
        ({"a": entry("F32", [2], 0, 4)}, None),  # fewer bytes than the shape wants
        ({"a": entry("F32", [1], 4, 8)}, None),  # a hole
        ({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, None),  # overlap
        ({"a": entry("F32", [1], 4, 0)}, None),
        ({"a": entry("F32", [2**62, 4], 0, 8)}, None),
        ({"a": entry("F32", [1], 0, 2**60)}, None),
        ({"a": entry("X99", [1], 0, 4)}, None),
        ({"a": entry("F32", [-1], 0, 4)}, None),
        ({"a": {"dtype": "F32"}}, None),
    ],
)
def test_a_header_that_lies(tmp_path: Path, header: object, length: int | None) -> None:
    raw(tmp_path, header, b"\0" * 8, length)
    assert "is cut short or corrupt" in refusal(tmp_path)


class Intruder:
    """Unpickled, it would make a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("old", [False, True])
def test_code_in_a_bin_file_does_not_run(tmp_path: Path, old: bool) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "pytorch_model.bin"
    content = {"a": torch.ones(2), "b": Intruder(marker)}
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    said = refusal(tmp_path)
    assert not marker.exists()
    assert f"{path} cannot be read as plain weights" in said
    assert "Allowed: named tensors, no code" in said
    assert "\n" not in said


def test_a_bare_pickle_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Intruder(marker)}))
    assert "cannot be read as plain weights" in refusal(tmp_path)
    assert not marker.exists()


def test_other_kinds_of_bin_files(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    assert "cannot be read as plain weights" in refusal(tmp_path)
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO(b""))
    assert "cannot be read as plain weights" in refusal(tmp_path)
    for content in (b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x02}q\x00.", b"not weights"):
        path.write_bytes(content)
        assert str(path) in refusal(tmp_path)
    torch.save(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-200])
    assert "cannot be read as plain weights" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        torch.ones(2),
        [torch.ones(2)],
        {"a": 3},
        {1: torch.ones(2)},
        {"a": torch.ones(3).to_sparse()},
        {"a": torch.ones(3, device="meta")},
        {"state_dict": {"a": torch.ones(2)}},
    ],
)
def test_a_bin_file_with_something_else(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    assert "something else than named tensors" in refusal(tmp_path)


def indexed(folder: Path, index: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("place", ["../x.safetensors", "/x", "..", ".", "", "a/b", 3, None])
def test_an_index_stays_in_its_folder(tmp_path: Path, place: object) -> None:
    save_file(TENSORS, tmp_path / "x.safetensors")
    folder = tmp_path / "model"
    folder.mkdir()
    indexed(folder, {"weight_map": {"a.weight": place}})
    assert "has no weight_map of tensor names to file names" in refusal(folder)


@pytest.mark.parametrize("index", [{}, {"weight_map": []}, {"weight_map": None}])
def test_an_index_without_a_map(tmp_path: Path, index: object) -> None:
    indexed(tmp_path, index)
    assert "has no weight_map" in refusal(tmp_path)


def test_an_index_that_promises_too_much(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "one.safetensors")
    indexed(tmp_path, {"weight_map": {"a.weight": "one.safetensors", "b.bias": "two.safetensors"}})
    assert "names two.safetensors, which is not there" in refusal(tmp_path)
    lost = {f"lost.{n:02}": "one.safetensors" for n in range(13)}
    indexed(tmp_path, {"weight_map": {"a.weight": "one.safetensors", **lost}})
    said = refusal(tmp_path)
    assert "promises tensors that no shard holds: lost.00, lost.01" in said
    assert "lost.09 and 3 more" in said


def test_the_index_says_which_shard_counts(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "one.safetensors")
    save_file({"a": torch.zeros(1), "c": torch.ones(1)}, tmp_path / "two.safetensors")
    for place, value in (("one", 1.0), ("two", 0.0)):
        other = {"b": "one.safetensors", "c": "two.safetensors"}
        indexed(tmp_path, {"weight_map": {"a": f"{place}.safetensors", **other}})
        assert read_tensors(tmp_path)["a"].item() == value


def test_a_file_may_be_read_by_whom_the_user_lets(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_tensors({"a": torch.zeros(2)}, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
