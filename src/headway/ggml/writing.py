"""Writes a GGUF file: names and values, then tensors. The counterpart of container.py."""

from __future__ import annotations

import array
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.ggml.container import ALIGNMENT
from headway.ggml.types import TYPES, BlockType

__all__ = ["NewTensor", "write_container", "written_container"]

VERSION = 3
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_OF_ARRAY = {"B": 0, "i": _INT32, "f": _FLOAT32}


@dataclass(frozen=True)
class NewTensor:
    """A tensor to be written.

    Attributes:
        name: of it.
        shape: the slowest dimension first.
        kind: how its numbers are stored.
        data: makes its bytes; called when its turn comes, so that no two are in memory at once.
    """

    name: str
    shape: Sequence[int]
    kind: BlockType
    data: Callable[[], bytes]


def write_container(path: Path, values: Mapping[str, Any], tensors: Iterable[NewTensor]) -> None:
    """Writes a file.

    Args:
        path: where to; what is there is overwritten.
        values: strings, true and false, whole numbers (32 bits), fractions (32 bits), lists of
            strings, and arrays of `B`, `i` or `f`.
        tensors: in the order they will lie in.

    Raises:
        OSError: the file cannot be written.
    """
    tensors = list(tensors)
    with path.open("wb") as file:
        file.write(written_container(values, tensors))
        for tensor in tensors:
            size = file.write(tensor.data())
            if size != _bytes(tensor):
                raise ValueError(f"{tensor.name}: {size} bytes, {_bytes(tensor)} were announced")
            file.write(bytes(_padded(size) - size))


def written_container(values: Mapping[str, Any], tensors: Sequence[NewTensor] = ()) -> bytes:
    """What stands before the tensors; the whole file where there are none."""
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(values))]
    parts += [_string(name) + _value(value) for name, value in values.items()]
    numbers, place = {kind.name: number for number, kind in TYPES.items()}, 0
    for tensor in tensors:
        sizes = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *reversed(tensor.shape))
        parts.append(_string(tensor.name) + sizes)
        parts.append(struct.pack("<IQ", numbers[tensor.kind.name], place))
        place += _padded(_bytes(tensor))
    head = b"".join(parts)
    return head.ljust(_padded(len(head)), b"\0")


def _bytes(tensor: NewTensor) -> int:
    count = 1
    for size in tensor.shape:
        count *= size
    return count // tensor.kind.weights * tensor.kind.size


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    """The type of a value, and the value."""
    if isinstance(value, bool):
        return struct.pack("<IB", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _UINT32, value)
    if isinstance(value, float):
        return struct.pack("<If", _FLOAT32, value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _string(value)
    if isinstance(value, array.array):
        code = value.typecode
        return struct.pack("<IIQ", _ARRAY, _OF_ARRAY[code], len(value)) + value.tobytes()
    items = b"".join(map(_string, value))
    return struct.pack("<IIQ", _ARRAY, _STRING, len(value)) + items
