"""TensorFlow's checkpoints: every type, several files, and every way to be damaged."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from headway.checkpoints.weights.tensor_bundle import read_bundle, read_index
from headway.errors import CheckpointError

from .foreign import block, checksum, field, table, varint, write_bundle

VARIABLES = {
    **{f"layer_{n}/kernel": np.full((2, 3), n, np.float32) for n in range(70)},
    "half": np.arange(3).astype(np.float16),
    "long": np.arange(5),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 4), np.float32),
}


def everything(path: Path) -> dict[str, Tensor]:
    return read_bundle(path, lambda name: True)


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        everything(path)
    return str(caught.value)


@pytest.mark.parametrize("shards", [1, 3])
def test_every_tensor_is_read(tmp_path: Path, shards: int) -> None:
    write_bundle(VARIABLES, tmp_path / "m.ckpt-7", shards=shards)
    found = everything(tmp_path / "m.ckpt-7.index")
    assert found.keys() == VARIABLES.keys()
    for name, value in VARIABLES.items():
        assert torch.equal(found[name], torch.from_numpy(value)), name
    entries = read_index(tmp_path / "m.ckpt-7.index")
    assert entries["layer_3/kernel"].shape == (2, 3)
    assert {entry.shard for entry in entries.values()} == set(range(shards))


def test_what_is_not_wanted_need_not_be_readable(tmp_path: Path) -> None:
    write_bundle({"a": np.ones(2), "b": np.ones(2)}, tmp_path / "m", shards=2)
    (tmp_path / "m.data-00001-of-00002").unlink()
    index = tmp_path / "m.index"
    assert set(read_bundle(index, lambda name: name == "a")) == {"a"}
    assert "m.data-00001-of-00002 is not there" in refusal(index)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"checksum": varint(6 << 3 | 5) + b"\1\2\3\4"}, "has another checksum"),
        ({"kind": field(1, 7)}, "is no tensor of numbers"),
        ({"kind": field(1, 8)}, "is no tensor of numbers"),
        ({"slices": field(7, b"")}, "in one piece"),
        ({"kind": field(1, 2)}, "does not lie where it should"),
        ({"offset": field(4, 1)}, "does not lie where it should"),
        ({"offset": field(4, 2**63)}, "does not lie where it should"),
        ({"size": field(5, 2**62)}, "does not lie where it should"),
        ({"shape": field(2, field(2, field(1, 2**64 - 1)))}, "does not lie where it should"),
        ({"shape": field(2, field(2, field(1, 1)) * 65)}, "a tensor of 65 dimensions"),
        ({"shape": field(2, field(2, b"\x0a\x00"))}, "a dimension that is no number"),
        ({"shape": field(2, 3)}, "described in another way"),
        ({"shard": field(3, 5)}, "data-00005-of-00001 is not there"),
        ({"kind": b"\x0b"}, "a field of the wire type 3"),
        ({"kind": b"\x0a\x7f"}, "it ends inside of a field"),
    ],
)
def test_an_entry_that_lies(tmp_path: Path, changed: dict[str, bytes], said: str) -> None:
    write_bundle({"a": np.ones(3, np.float32)}, tmp_path / "m", **changed)
    assert said in refusal(tmp_path / "m.index")


def test_tensors_over_each_other(tmp_path: Path) -> None:
    write_bundle({f"a{n}": np.ones(3, np.float32) for n in range(3)}, tmp_path / "m")
    (tmp_path / "m.data-00000-of-00001").write_bytes(np.ones(3, np.float32).tobytes())
    assert "does not lie where it should" in refusal(tmp_path / "m.index")
    write_bundle(
        {f"a{n}": np.ones(3, np.float32) for n in range(3)}, tmp_path / "m", offset=field(4, 0)
    )
    (tmp_path / "m.data-00000-of-00001").write_bytes(np.ones(3, np.float32).tobytes())
    assert "over each other" in refusal(tmp_path / "m.index")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not end as a table"),
        (b"\0" * 48, "does not end as a table"),
        (table({b"": field(1, 1)}, packing=1), "is packed (snappy)"),
        (table({b"": field(2, 1)}), "highest byte first"),
        (table({b"": field(1, b"x")}), "no number of data files"),
        (table({b"\xff": b""}), "utf-8"),
        (table({b"a" * 5000: b""}), "leads out of its block"),
        (b"\0" * 40 + struct.pack("<Q", 0xDB4775248B80FB57), "a block of 0 bytes"),
        (b"\xff" * 40 + struct.pack("<Q", 0xDB4775248B80FB57), "more than 64 bits"),
    ],
)
def test_an_index_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "m.index").write_bytes(content)
    assert said in refusal(tmp_path / "m.index")


def test_an_index_whose_blocks_are_read_again_and_again(tmp_path: Path) -> None:
    made = block({b"": field(1, 1), b"a": b""})
    handle = varint(0) + varint(len(made) - 5)
    index = block({b"%05d" % n: handle for n in range(9)})
    handles = varint(0) + varint(len(made) - 5) + varint(len(made)) + varint(len(index) - 5)
    footer = handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    (tmp_path / "m.index").write_bytes(made + index + footer)
    assert "blocks that lie over each other" in refusal(tmp_path / "m.index")


@pytest.mark.parametrize("which", ["m.index", "m.data-00000-of-00001"])
def test_damage_is_always_seen(tmp_path: Path, which: str) -> None:
    """Whatever is changed has a checksum, but for the footer's unused bytes."""
    write_bundle({f"layer_{n}/kernel": np.ones((2, 2)) for n in range(5)}, tmp_path / "m")
    path, draw = tmp_path / which, random.Random(0)
    whole = path.read_bytes()
    protected = len(whole) - (48 if which == "m.index" else 0)
    for number in range(120):
        content = bytearray(whole)
        if number % 2:
            del content[draw.randrange(len(content)) :]
        else:
            content[draw.randrange(protected)] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
        refusal(tmp_path / "m.index")


def test_the_writer_of_these_tests_sums_as_published() -> None:
    unmasked = checksum(b"123456789") - 0xA282EAD8 & 0xFFFFFFFF
    assert (unmasked >> 17 | unmasked << 15) & 0xFFFFFFFF == 0xE3069283
