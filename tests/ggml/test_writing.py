"""What is written is read by the makers' package, and by us."""

from __future__ import annotations

import array
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from headway.errors import CheckpointError
from headway.ggml.blocks import dequantise
from headway.ggml.container import read_container
from headway.ggml.quantise import quantise
from headway.ggml.types import TYPES, type_number
from headway.ggml.writing import NewTensor, write_container

VALUES: dict[str, Any] = {
    "general.architecture": "llama",
    "a.count": 7,
    "a.fraction": 0.25,
    "a.yes": True,
    "a.names": ["é", "", "b"],
    "a.kinds": array.array("i", [1, -2]),
    "a.scores": array.array("f", [0.5]),
    "a.bytes": array.array("B", [0, 255]),
}


def tensor(name: str, kind: str, *shape: int) -> tuple[NewTensor, np.ndarray]:
    numbers = np.random.default_rng(len(name)).normal(size=shape).astype(np.float32)
    block = TYPES[type_number(kind)]
    return NewTensor(name, shape, block, lambda: quantise(numbers, block).tobytes()), numbers


def test_both_read_it(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    made = [
        tensor("x.weight", "F32", 5),
        tensor("y.weight", "Q8_0", 3, 64),
        tensor("z.weight", "F16", 2, 3, 5),
        tensor("q.weight", "Q4_K", 2, 256),
    ]
    write_container(path, VALUES, [each for each, _ in made])
    reader = gguf.GGUFReader(path)
    assert {name: reader.fields[name].contents() for name in VALUES} == {
        name: [*value] if isinstance(value, (list, array.array)) else value
        for name, value in VALUES.items()
    }
    ours = read_container(path, CheckpointError)
    assert ours.values == VALUES
    data = path.read_bytes()
    for theirs, (new, numbers) in zip(reader.tensors, made, strict=True):
        assert theirs.name == new.name and tuple(reversed(theirs.shape.tolist())) == new.shape
        stored = ours.tensors[new.name]
        assert stored.shape == tuple(new.shape) and stored.kind == new.kind
        read = gguf.dequantize(theirs.data, theirs.tensor_type).reshape(new.shape)
        raw = np.frombuffer(data[stored.start : stored.start + stored.size], np.uint8)
        np.testing.assert_array_equal(dequantise(raw, stored.kind).reshape(new.shape), read)
        assert np.abs(read - numbers).max() < 0.25


def test_bytes_that_were_not_announced_are_refused(tmp_path: Path) -> None:
    new = NewTensor("x", (4,), TYPES[0], lambda: b"123")
    with pytest.raises(ValueError, match="x: 3 bytes, 16 were announced"):
        write_container(tmp_path / "m.gguf", {}, [new])
