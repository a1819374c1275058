"""TensorFlow's checkpoints: `NAME.index`, a table of tensors, and their bytes in `NAME.data-*`.

Source: https://github.com/tensorflow/tensorflow (tensor_bundle.proto, tensor_bundle.h). A value of
the table says a tensor's type, shape, file, place and checksum, which is checked.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from headway.checkpoints.weights.crc32c import crc32c, masked
from headway.checkpoints.weights.plain import KINDS, damaged, plain_tensor
from headway.checkpoints.weights.table_file import fields, read_table
from headway.errors import CheckpointError

__all__ = ["Entry", "read_bundle", "read_index"]

LARGEST_INDEX = 2**27
MOST_DIMENSIONS = 64

TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}
"""TensorFlow's number of a type -> numpy's name."""


@dataclass(frozen=True)
class Entry:
    """Where a tensor lies.

    Attributes:
        kind: numpy's name of its type, or empty for one that holds no numbers.
        shape: of the tensor.
        shard: number of the file.
        offset, size: its bytes there.
        checksum: of these bytes, as stored.
        whole: whether it lies in one piece.
    """

    kind: str
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    whole: bool


def read_index(path: Path) -> dict[str, Entry]:
    """The tensors that a `.index` file lists, by their variables' names.

    Raises:
        CheckpointError: the file is cut short, corrupt, or of another kind of machine.
    """
    return _listed(path)[1]


def read_bundle(path: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    """The tensors of the checkpoint whose `.index` file is given, as they lie there.

    Args:
        path: the `.index` file; the others lie beside it.
        wanted: of a variable's name, whether its tensor is read at all.

    Raises:
        CheckpointError: a file is lacking, cut short or corrupt, or a wanted tensor holds no
            numbers or is cut into parts.
    """
    shards, entries = _listed(path)
    entries = {name: entry for name, entry in entries.items() if wanted(name)}
    if found := [name for name, entry in entries.items() if not entry.kind or not entry.whole]:
        raise CheckpointError(
            f"{path}: {found[0]!r:.80} is no tensor of numbers in one piece",
            next_step="save the model where it was made, without partitioned variables",
        )
    tensors: dict[str, Tensor] = {}
    files = {
        number: _mapped(_shard(path, number, shards))
        for number in sorted({entry.shard for entry in entries.values()})
    }
    _check_places(path, entries, files)
    for name, entry in entries.items():
        data = files[entry.shard][entry.offset : entry.offset + entry.size]
        if masked(crc32c(data)) != entry.checksum:
            shard = _shard(path, entry.shard, shards)
            raise damaged(shard, f"{name!r:.80} has another checksum")
        tensors[name] = plain_tensor(data, entry.kind, entry.shape)
    return tensors


def _listed(path: Path) -> tuple[int, dict[str, Entry]]:
    """How many data files there are, and what lies in them."""
    try:
        if path.stat().st_size > LARGEST_INDEX:
            raise ValueError(f"a list of tensors of more than {LARGEST_INDEX} bytes")
        table = dict(read_table(path.read_bytes()))
        header = dict(fields(table.pop(b"", b"")))
        if header.get(2, 0) != 0:
            raise ValueError("numbers with the highest byte first")
        shards = header.get(1, 0)
        if not isinstance(shards, int):
            raise ValueError("no number of data files")
        return shards, {key.decode(): _entry(value) for key, value in table.items()}
    except OSError as error:
        raise damaged(path, error.strerror or error) from None
    except ValueError as error:
        raise damaged(path, error) from None


def _entry(message: bytes) -> Entry:
    values: dict[int, int | bytes] = dict(fields(message))
    numbers = {key: values.get(key, 0) for key in (1, 3, 4, 5, 6)}
    shape = values.get(2, b"")
    if isinstance(shape, int) or not all(isinstance(each, int) for each in numbers.values()):
        raise ValueError("a tensor described in another way")
    kind, shard, offset, size, checksum = (int(each) for each in numbers.values())
    return Entry(
        TYPES.get(kind, ""), _shape(shape), shard, offset, size, checksum, whole=7 not in values
    )


def _shape(message: bytes) -> tuple[int, ...]:
    sizes = []
    for number, dimension in fields(message):
        if number == 2 and isinstance(dimension, bytes):
            size = dict(fields(dimension)).get(1, 0)
            if not isinstance(size, int):
                raise ValueError("a dimension that is no number")
            sizes.append(size)
    if len(sizes) > MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {len(sizes)} dimensions")
    return tuple(sizes)


def _shard(path: Path, number: int, shards: int) -> Path:
    return path.with_name(f"{path.stem}.data-{number:05d}-of-{shards:05d}")


def _mapped(path: Path) -> memoryview:
    """A file's bytes, mapped as long as somebody holds them."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is not there, and tensors lie in it", next_step="copy or download it too"
        ) from None
    except OSError as error:
        raise damaged(path, error.strerror or error) from None


def _check_places(
    path: Path, entries: Mapping[str, Entry], files: Mapping[int, memoryview]
) -> None:
    """Refuses tensors that lie outside of their file, or over each other, before any is read."""
    for name, entry in entries.items():
        wanted = math.prod(entry.shape) * KINDS[entry.kind].itemsize
        if entry.size != wanted or entry.offset + entry.size > len(files[entry.shard]):
            raise damaged(path, f"{name!r:.80} does not lie where it should")
    if sum(entry.size for entry in entries.values()) > sum(map(len, files.values())):
        raise damaged(path, "tensors that lie over each other")
