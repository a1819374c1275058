"""GGUF: the container of ggml's models. Names and values, then where each tensor lies.

Source: https://github.com/ggml-org/ggml (docs/gguf.md). The file is mapped, not read; nothing is
made before the bytes it is made of are known to be there, so that a file takes no more memory than
a small multiple of its size. Versions 2 and 3 differ in nothing but big-endian files, which are
refused.
"""

from __future__ import annotations

import array
import math
import mmap
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from headway.errors import InputError
from headway.ggml.types import TYPES, BlockType

__all__ = ["ALIGNMENT", "Container", "Stored", "read_container", "read_metadata"]

T = TypeVar("T")

ALIGNMENT = 32
"""Tensors begin at multiples of so many bytes, unless general.alignment says otherwise."""

# type number -> how `struct` and `array` call it
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 10, 11, 12), "BbHhIifQqd", strict=True))
_BOOL, _STRING, _ARRAY = 7, 8, 9
_LONGEST_KEY = 65_535
_DEEPEST = 4  # arrays of arrays
_MOST_DIMENSIONS = 4


@dataclass(frozen=True)
class Stored:
    """A tensor as it lies in a file.

    Attributes:
        shape: the slowest dimension first, as torch and numpy have it.
        kind: how its numbers are stored.
        start: its first byte in the file.
        size: how many bytes it has.
    """

    shape: tuple[int, ...]
    kind: BlockType
    start: int
    size: int


@dataclass(frozen=True)
class Container:
    """What a file holds.

    Attributes:
        values: names and values, in order.
        tensors: name -> where it lies.
    """

    values: dict[str, Any]
    tensors: dict[str, Stored]


def read_metadata(path: Path, error: type[InputError]) -> dict[str, Any]:
    """The names and values of a file, in order.

    Numbers, true and false, and strings are Python's; an array of numbers is an `array.array` (of
    true and false: of 0 and 1), an array of strings or arrays is a list.

    Args:
        path: the file.
        error: what is raised.

    Raises:
        InputError: it is no GGUF of version 2 or 3, or it is damaged; the message says where.
    """
    return _read(path, error, lambda reader: reader.metadata()[1])


def read_container(path: Path, error: type[InputError]) -> Container:
    """The names and values of a file, and where its tensors lie, each inside of the file.

    Args: as `read_metadata`.

    Raises:
        InputError: also where a tensor's type is not known or its bytes are not all there.
    """
    return _read(path, error, lambda reader: reader.container())


def _read(path: Path, error: type[InputError], read: Callable[[_Reader], T]) -> T:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0:
                raise _Reader(b"", path, error).wrong("an empty file")
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
                return read(_Reader(mapped, path, error))
    except OSError as failure:
        raise error(
            f"{path} cannot be read: {failure.strerror or failure}", next_step="check the path"
        ) from failure


class _Reader:
    """Reads values one after the other, and never beyond the end."""

    def __init__(self, data: bytes | mmap.mmap, path: Path, error: type[InputError]) -> None:
        self.data, self.path, self.error, self.place = data, path, error, 0

    def container(self) -> Container:
        count, values = self.metadata()
        if count * 24 > len(self.data) - self.place:  # a name, its dimensions, type and place
            raise self.wrong(
                f"{count} tensors announced and {len(self.data) - self.place} bytes left"
            )
        alignment = values.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20 or alignment % 8:
            raise self.wrong(f"general.alignment = {alignment!r}, not a multiple of 8")
        told: dict[str, tuple[tuple[int, ...], BlockType, int]] = {}
        for _ in range(count):
            name = self.name()
            if name in told:
                raise self.wrong(f"the tensor {name!r:.80} a second time")
            told[name] = self.tensor(name)
        start = -(-self.place // alignment) * alignment
        tensors = {}
        for name, (shape, kind, offset) in told.items():
            size = math.prod(shape) // kind.weights * kind.size
            if offset % alignment or start + offset + size > len(self.data):
                raise self.wrong(
                    f"{name} lies at {start + offset} and has {size} bytes; "
                    f"the file has {len(self.data)}, and tensors begin at multiples of {alignment}"
                )
            tensors[name] = Stored(shape, kind, start + offset, size)
        return Container(values, tensors)

    def tensor(self, name: str) -> tuple[tuple[int, ...], BlockType, int]:
        """Shape, type and place of a tensor."""
        count = self.number("I", f"the dimensions of {name}")
        if not 1 <= count <= _MOST_DIMENSIONS:
            raise self.wrong(f"{name} with {count} dimensions")
        sizes = [int(self.number("Q", f"the dimensions of {name}")) for _ in range(count)]
        if not all(0 < size < 1 << 40 for size in sizes):
            raise self.wrong(f"{name} of {sizes}")
        number = self.number("I", f"the type of {name}")
        if number not in TYPES:
            raise self.error(
                f"{self.path}: {name} is of type {number}, which is not known",
                allowed=", ".join(f"{n} {kind.name}" for n, kind in TYPES.items()),
            )
        kind = TYPES[number]
        if sizes[0] % kind.weights:
            raise self.wrong(f"{name} with rows of {sizes[0]}, in blocks of {kind.weights}")
        return tuple(reversed(sizes)), kind, self.number("Q", f"the place of {name}")

    def metadata(self) -> tuple[int, dict[str, Any]]:
        """How many tensors there are, and the names and values."""
        magic = self.take(4, "the mark GGUF")
        if magic != b"GGUF":
            raise self.wrong(f"it begins with {magic!r}, not with b'GGUF'")
        version = self.number("I", "the version")
        if version not in (2, 3):
            swapped = version in (2 << 24, 3 << 24)
            raise self.error(
                f"{self.path} is GGUF of version {version}"
                + (", which is one of a big-endian machine" if swapped else ""),
                allowed="2, 3, little-endian",
                next_step="write the file again with the newer tools of its makers",
            )
        tensors = int(self.number("Q", "the number of tensors"))
        count = self.count("names and values", 13)
        found: dict[str, Any] = {}
        for _ in range(count):
            name = self.name()
            if name in found:
                raise self.wrong(f"the name {name!r:.80} a second time")
            found[name] = self.value(self.number("I", f"the type of {name}"), name, 0)
        return tensors, found

    def name(self) -> str:
        length = self.number("Q", "the length of a name")
        if not 0 < length <= _LONGEST_KEY:
            raise self.wrong(f"a name of {length} bytes")
        return self.decoded(self.take(length, "a name"), "a name")

    def value(self, kind: int, name: str, depth: int) -> Any:
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind], name)
        if kind == _BOOL:
            return self.flags(1, name)[0] == 1
        if kind == _STRING:
            return self.text(name)
        if kind == _ARRAY and depth < _DEEPEST:
            return self.items(name, depth + 1)
        what = f"arrays in arrays, {depth} deep" if kind == _ARRAY else f"the type {kind}"
        raise self.wrong(f"{what}, for {name}")

    def items(self, name: str, depth: int) -> Any:
        kind = self.number("I", f"the type of the items of {name}")
        if kind in _NUMBERS:
            code = _NUMBERS[kind]
            count = self.count(f"items of {name}", struct.calcsize(f"<{code}"))
            items = array.array(code, self.take(count * struct.calcsize(f"<{code}"), name))
            if sys.byteorder == "big":
                items.byteswap()
            return items
        if kind == _BOOL:
            return self.flags(self.count(f"items of {name}", 1), name)
        count = self.count(f"items of {name}", 8 if kind == _STRING else 12)
        return [self.value(kind, name, depth) for _ in range(count)]

    def flags(self, count: int, name: str) -> array.array[int]:
        data = self.take(count, name)
        if data.strip(b"\0\1"):
            raise self.wrong(f"a byte that is neither 0 nor 1, for {name}")
        return array.array("B", data)

    def text(self, name: str) -> str:
        length = self.count(f"bytes of {name}", 1)
        return self.decoded(self.take(length, name), name)

    def count(self, what: str, smallest: int) -> int:
        """How many of something follow, each of at least so many bytes."""
        count = int(self.number("Q", f"the number of {what}"))
        left = len(self.data) - self.place
        if count * smallest > left:
            raise self.wrong(f"{count} {what} announced and {left} bytes left")
        return count

    def number(self, code: str, what: str) -> Any:
        return struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}"), what))[0]

    def take(self, size: int, what: str) -> bytes:
        """The next bytes."""
        start, end = self.place, self.place + size
        if end > len(self.data):
            raise self.wrong(f"the file ends inside of {what}")
        self.place = end
        return bytes(self.data[start:end])

    def decoded(self, data: bytes, name: str) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self.wrong(f"{data!r:.60}, which is not UTF-8, for {name}") from None

    def wrong(self, what: str) -> InputError:
        return self.error(
            f"at byte {self.place} of {self.path}: {what}",
            next_step="get the file again: it is damaged, or no GGUF",
        )
