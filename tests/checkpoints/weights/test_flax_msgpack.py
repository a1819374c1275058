"""Flax's weights give the model that torch's give, and no file does harm."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgpack
import pytest
import torch

from checkpoints.models import random_case, reference, write
from headway.checkpoints.weights.flax_msgpack import read_flax
from headway.errors import CheckpointError

from .foreign import flax_tree, in_pieces, packed, write_flax
from .same import assert_same_model, assert_survives

CASES = [
    ("bert", None),
    ("bert", "fill-mask"),
    ("bert", "text-classification"),
    ("distilbert", "fill-mask"),
    ("gpt2", "text-generation"),
    ("llama", "text-classification"),
    ("roberta", "fill-mask"),
    ("t5", "text2text-generation"),
]


@pytest.mark.parametrize(("kind", "task"), CASES)
def test_a_model_is_the_one_that_torchs_weights_give(
    tmp_path: Path, kind: str, task: str | None
) -> None:
    case = random_case(kind, 3)
    theirs = reference(case, task)
    torch_folder, folder = write(theirs, tmp_path / "torch"), tmp_path / "flax"
    write(theirs, folder)
    (folder / "model.safetensors").unlink()
    write_flax(flax_tree(theirs), folder / "flax_model.msgpack")
    model = assert_same_model(folder, torch_folder)
    assert "read weights of another framework, flax_model.msgpack" in model.notes


def test_shards(tmp_path: Path) -> None:
    theirs = reference(random_case("bert", 1), "fill-mask")
    torch_folder, folder = write(theirs, tmp_path / "torch"), tmp_path / "flax"
    write(theirs, folder)
    (folder / "model.safetensors").unlink()
    places = {}
    for number, (part, tree) in enumerate(flax_tree(theirs).items(), 1):
        file = f"flax_model-0000{number}-of-00002.msgpack"
        write_flax({part: tree}, folder / file)
        places.update(dict.fromkeys(paths({part: tree}), file))
    index = folder / "flax_model.msgpack.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert_same_model(folder, torch_folder)
    index.write_text(json.dumps({"weight_map": {**places, "a/kernel": file}}))
    with pytest.raises(CheckpointError, match=r"promises tensors that no shard holds: a\.weight"):
        assert_same_model(folder, torch_folder)


def paths(tree: dict[str, Any]) -> list[str]:
    return [
        f"{key}/{rest}" if rest else key
        for key, value in tree.items()
        for rest in (paths(value) if isinstance(value, dict) else [""])
    ]


def test_every_type_of_numbers_and_pieces(tmp_path: Path) -> None:
    table = torch.arange(12.0).reshape(4, 3)
    tree = {
        "params": {
            "a": {"kernel": table.bfloat16(), "bias": torch.zeros(0, 3)},
            "b": {"embedding": in_pieces(table, 5)},
            "d": {"scale": torch.tensor(2.0).half()},
            "c": {"kernel": table.double().reshape(2, 2, 3), "count": torch.tensor([1, 2])},
        }
    }
    write_flax(tree, tmp_path / "x")
    found = read_flax(tmp_path / "x")
    wanted = {
        "a.weight": table.bfloat16().t(),
        "a.bias": torch.zeros(0, 3),
        "b.weight": table,
        "d.weight": torch.tensor(2.0).half(),
        "c.weight": table.double().reshape(2, 2, 3),  # no matrix: as it is
        "c.count": torch.tensor([1, 2]),
    }
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def array(shape: Any, kind: Any, content: Any, code: int = 1) -> msgpack.ExtType:
    return msgpack.ExtType(code, msgpack.packb((shape, kind, content), use_bin_type=True))


@pytest.mark.parametrize(
    "tree",
    [
        torch.ones(2),
        [torch.ones(2)],
        {"a": 3},
        {"a": {"kernel": torch.ones(2), "scale": torch.ones(2)}},
        {"a": [torch.ones(2)]},
        {3: torch.ones(2)},
        {"a": msgpack.ExtType(2, b"\x92\x00\x00")},
        {"a": msgpack.ExtType(9, b"cposix\nsystem\n.")},
        {"a": msgpack.ExtType(1, b"\xdd\xff\xff\xff\xff")},
        {"a": array([2], "float32", b"\0" * 7)},
        {"a": array([2**62, 4], "float32", b"")},
        {"a": array([-1], "float32", b"\0" * 4)},
        {"a": array([1.0], "float32", b"\0" * 4)},
        {"a": array([True], "float32", b"\0" * 4)},
        {"a": array([1], "object", b"\0" * 8)},
        {"a": array([1], "complex64", b"\0" * 8)},
        {"a": array([1], 7, b"\0" * 4)},
        {"a": array(1, "float32", b"\0" * 4)},
        {"a": {"__msgpack_chunked_array__": True}},
        {"a": {**in_pieces(torch.ones(4), 2), "shape": {"0": 3}}},
        {"a": {**in_pieces(torch.ones(4), 2), "chunks": {"1": torch.ones(4)}}},
        {"a": {**in_pieces(torch.ones(4), 2), "chunks": {"0": "text"}}},
    ],
)
def test_other_things_are_refused(tmp_path: Path, tree: Any) -> None:
    path = tmp_path / "flax_model.msgpack"
    path.write_bytes(msgpack.packb(tree, default=packed))
    with pytest.raises(CheckpointError, match="cut short or corrupt"):
        read_flax(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x81",
        b"\xdd\xff\xff\xff\xff",
        b"\x81\xa1a" * 3000,
        b"\x91" * 100_000,
        b"\xdf\xff\xff\xff\xff" * 9,
        b"\xc9\xff\xff\xff\xff\x01",
        b"\x80\x80",
    ],
)
def test_bytes_that_promise_more_than_there_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flax_model.msgpack"
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        read_flax(path)


def test_cuts_and_flips_end_in_tensors_or_one_message(tmp_path: Path) -> None:
    tree = {"a": {"kernel": torch.ones(3, 2)}, "b": in_pieces(torch.ones(7), 3)}
    path = tmp_path / "flax_model.msgpack"
    write_flax(tree, path)
    assert_survives(path, read_flax, random.Random(0))
