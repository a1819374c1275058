"""Compressed files: which they are, and their contents as bytes that are mapped, not held.

Contents are unpacked step by step into a temporary file without a name, so that a file of any size
takes a few megabytes of memory.
"""

from __future__ import annotations

import bz2
import lzma
import mmap
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from headway.errors import DataError

__all__ = [
    "ALWAYS_ALLOWED",
    "COMPRESSIONS",
    "MAX_EXPANSION",
    "decompressed",
    "unpacked",
    "without_compression",
]

MAX_EXPANSION = 200.0  # text that repeats itself a lot shrinks to a hundredth
ALWAYS_ALLOWED = 1 << 24  # bytes that any file may grow to
_READ = 1 << 16
_WRITE = 1 << 20
_XZ_MEMORY = 1 << 28  # four times what `xz -9` needs

# Suffix | name, first bytes
COMPRESSIONS = {
    ".gz": ("gzip", b"\x1f\x8b"),
    ".zst": ("zstd", b"\x28\xb5\x2f\xfd"),
    ".bz2": ("bzip2", b"BZh"),
    ".xz": ("xz", b"\xfd7zXZ\0"),
}


def without_compression(path: Path) -> Path:
    """The path as it is called once unpacked.

    >>> without_compression(Path("news.csv.gz")).name, without_compression(Path("news.csv")).name
    ('news.csv', 'news.csv')
    """
    return path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path


def decompressed(path: Path, max_expansion: float) -> pa.Buffer:
    """The contents of a file whose suffix is in COMPRESSIONS, mapped from a file without a name.

    Raises:
        DataError: what `unpacked` refuses, or no room for the contents.
        OSError: the operating system does not hand the file over.
    """
    with tempfile.TemporaryFile() as contents:
        written = 0
        for part in unpacked(path, max_expansion):
            written += len(part)
            try:
                contents.write(part)
                contents.flush()
            except OSError as error:
                raise DataError(
                    f"no room for the contents of {path} in {tempfile.gettempdir()}: "
                    f"{error.strerror}",
                    next_step="set TMPDIR to a folder with more room",
                ) from error
        if not written:  # nothing cannot be mapped
            return pa.py_buffer(b"")
        return pa.py_buffer(mmap.mmap(contents.fileno(), 0, access=mmap.ACCESS_READ))


def unpacked(path: Path, max_expansion: float) -> Iterator[bytes]:
    """The contents of a file whose suffix is in COMPRESSIONS, up to a megabyte at a time.

    Args:
        path: the file.
        max_expansion: how many times larger than the file its contents may be; 16 MB are always
            allowed.

    Raises:
        DataError: a file of another kind, cut short, damaged, with something else behind its end,
            or larger inside than allowed; the message names the byte.
        OSError: the operating system does not hand the file over.
    """
    size = path.stat().st_size
    most = max(ALWAYS_ALLOWED, size * max_expansion)
    kind, _ = COMPRESSIONS[path.suffix.lower()]
    seen = 0
    for byte, part in _parts(path):
        seen += len(part)
        if seen > most:
            raise DataError(
                f"{path}, by byte {byte} of {size}: {kind} data that grows more than "
                f"{max_expansion:g} times, to over {seen} bytes",
                allowed=f"{max_expansion:g} times the size of the file, or 16 MB",
                next_step='headway.read(..., max_expansion=float("inf")) if you trust the file',
            )
        yield part


def _parts(path: Path) -> Iterator[tuple[int, bytes]]:
    """(byte of the file by which it was read, up to a megabyte of contents)."""
    if path.suffix.lower() == ".zst":
        return _zstd_parts(path)
    return _member_parts(path, _UNPACKERS[path.suffix.lower()])


class _Unpacker(Protocol):
    """What the unpackers of bz2 and lzma share."""

    def decompress(self, data: bytes, max_length: int) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Gunzip:
    """zlib's unpacker with the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        part = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(part) < max_length and not self._zlib.unconsumed_tail
        return part

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    ".gz": _Gunzip,
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
}


def _member_parts(path: Path, unpacker: Callable[[], _Unpacker]) -> Iterator[tuple[int, bytes]]:
    """One member after the other: gzip, bzip2 and xz files may be joined end to end."""
    _, signature = COMPRESSIONS[path.suffix.lower()]
    member: _Unpacker | None = None
    data, members = b"", 0
    with path.open("rb") as file:
        while data := data or file.read(_READ):
            if member is None:
                if members:
                    data = data.lstrip(b"\0")  # padding, which tapes and xz have between members
                    if not data:
                        continue
                data += file.read(max(0, len(signature) - len(data)))
                if not data.startswith(signature[: len(data)]):
                    raise _not_a_member(path, file.tell() - len(data), members)
                member, members = unpacker(), members + 1
            while True:
                try:
                    part = member.decompress(data, _WRITE)
                except (zlib.error, lzma.LZMAError, OSError) as error:
                    raise _damaged(path, file.tell(), error) from error
                data = member.unused_data if member.eof else b""
                if part:
                    yield file.tell() - len(data), part
                if member.eof:
                    member = None
                if member is None or member.needs_input:
                    break
        if member is not None:
            raise _cut_short(path, file.tell())


def _zstd_parts(path: Path) -> Iterator[tuple[int, bytes]]:
    _, signature = COMPRESSIONS[".zst"]
    with path.open("rb") as file:
        head = file.read(len(signature))
        # A frame of any text may follow frames to be skipped, 0x184D2A50 to 5F.
        skipped = head[1:] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
        if head and not skipped and not head.startswith(signature[: len(head)]):
            raise _not_a_member(path, 0, 0)
        file.seek(0)
        stream = pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")
        while True:
            try:
                part = stream.read(_WRITE)
            except OSError as error:
                if "truncated" in str(error).lower():
                    raise _cut_short(path, file.tell()) from error
                raise _damaged(path, file.tell(), error) from error
            if not part:
                return
            yield file.tell(), part


def _not_a_member(path: Path, byte: int, members: int) -> DataError:
    kind, _ = COMPRESSIONS[path.suffix.lower()]
    if members:
        return DataError(
            f"{path}, byte {byte + 1}: something that is not {kind} data stands behind the end",
            allowed=f"{kind} data only",
            next_step=f"write it again, or keep the good part: head -c {byte} {path.name}",
        )
    return DataError(
        f"{path}, byte 1: the name says {kind}, the first bytes do not",
        allowed=f"{kind} data",
        next_step="give the file the name of what it is",
    )


def _cut_short(path: Path, byte: int) -> DataError:
    kind, _ = COMPRESSIONS[path.suffix.lower()]
    return DataError(
        f"{path} is cut short: its {kind} data goes on behind byte {byte}, the last",
        allowed=f"a whole {kind} file",
        next_step="write or download it again",
    )


def _damaged(path: Path, byte: int, error: Exception) -> DataError:
    kind, _ = COMPRESSIONS[path.suffix.lower()]
    return DataError(
        f"{path}, by byte {byte}: damaged {kind} data ({str(error)[:100]})",
        allowed=f"a whole {kind} file",
        next_step="write or download it again",
    )
