"""GGUF: the container of ggml's models. What stands before the tensors: names and values.

Source: https://github.com/ggml-org/ggml (docs/gguf.md). The file is mapped, not read; nothing is
made before the bytes it is made of are known to be there, so that a file takes no more memory than
a small multiple of its size. Versions 2 and 3 differ in nothing but big-endian files, which are
refused.
"""

from __future__ import annotations

import array
import mmap
import struct
import sys
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError

__all__ = ["read_metadata"]

# type number -> how `struct` and `array` call it
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 10, 11, 12), "BbHhIifQqd", strict=True))
_BOOL, _STRING, _ARRAY = 7, 8, 9
_LONGEST_KEY = 65_535
_DEEPEST = 4  # arrays of arrays


def read_metadata(path: Path) -> dict[str, Any]:
    """The names and values of a file, in order.

    Numbers, true and false, and strings are Python's; an array of numbers is an `array.array` (of
    true and false: of 0 and 1), an array of strings or arrays is a list.

    Raises:
        TokenizerError: it is no GGUF of version 2 or 3, or it is damaged; the message says where.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0:
                raise _Reader(b"", path).wrong("an empty file")
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
                return _Reader(mapped, path).metadata()
    except OSError as error:
        raise TokenizerError(
            f"{path} cannot be read: {error.strerror or error}", next_step="check the path"
        ) from error


class _Reader:
    """Reads values one after the other, and never beyond the end."""

    def __init__(self, data: bytes | mmap.mmap, path: Path) -> None:
        self.data, self.path, self.place = data, path, 0

    def metadata(self) -> dict[str, Any]:
        magic = self.take(4, "the mark GGUF")
        if magic != b"GGUF":
            raise self.wrong(f"it begins with {magic!r}, not with b'GGUF'")
        version = self.number("I", "the version")
        if version not in (2, 3):
            swapped = version in (2 << 24, 3 << 24)
            raise TokenizerError(
                f"{self.path} is GGUF of version {version}"
                + (", which is one of a big-endian machine" if swapped else ""),
                allowed="2, 3, little-endian",
                next_step="write the file again with the newer tools of its makers",
            )
        self.number("Q", "the number of tensors")
        count = self.count("names and values", 13)
        found: dict[str, Any] = {}
        for _ in range(count):
            name = self.name()
            if name in found:
                raise self.wrong(f"the name {name!r:.80} a second time")
            found[name] = self.value(self.number("I", f"the type of {name}"), name, 0)
        return found

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

    def wrong(self, what: str) -> TokenizerError:
        return TokenizerError(
            f"at byte {self.place} of {self.path}: {what}",
            next_step="get the file again: it is damaged, or no GGUF",
        )
