"""From a file to clean UTF-8 bytes, or one error that names file, line and byte."""

from __future__ import annotations

import codecs
import mmap
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from headway.data.badrows import BadRow, refuse_row
from headway.data.features import Feature
from headway.data.formats.compression import COMPRESSIONS, MAX_EXPANSION, decompressed
from headway.data.formats.recipes import Recipe
from headway.errors import DataError

__all__ = [
    "ReadOptions",
    "Stretch",
    "has_signature",
    "is_utf8",
    "mapped",
    "text_buffer",
    "unreadable",
]

# The first bytes of files that no text reader can take: (bytes, what they are, what to do).
_SIGNATURES = (
    (b"PAR1", "a Parquet file", 'format="parquet" (--format parquet)'),
    (b"ARROW1", "an Arrow file", 'format="arrow" (--format arrow)'),
    (b"\xff\xfe", "UTF-16 text", 'encoding="utf-16" (--encoding utf-16)'),
    (b"\xfe\xff", "UTF-16 text", 'encoding="utf-16" (--encoding utf-16)'),
    (b"\x1f\x8b", "a gzip file", "give it a name that ends in .gz"),
    (b"PK\x03\x04", "a zip file or a spreadsheet", "unzip it, or export the sheet as CSV"),
    (b"BZh", "a bzip2 file", "give it a name that ends in .bz2"),
    (b"\xfd7zXZ", "an xz file", "give it a name that ends in .xz"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "give it a name that ends in .zst"),
    (b"%PDF", "a PDF file", "extract its text first"),
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file that can be read without the rest (`headway.data.shards.stretches`).

    start: the first byte of text, row group of Parquet or record batch of Arrow.
    stop: the one behind the last.
    line: the number of the line that begins at `start`; rows of text are told by it.
    """

    start: int
    stop: int
    line: int = 1


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is written, where its name does not say; every reader takes the same.

    encoding: any text codec of Python, such as `latin-1`.
    header: whether the first line names the columns; None looks at the cells and decides.
    delimiter: what stands between cells; None takes the format's own.
    quoting: whether a cell may stand in double quotes; None means yes for csv, no for tsv.
    field: which list of a JSON object holds the rows.
    sample_by: what makes a row of plain text: line, paragraph or document; None means line.
    recipe: which parts of an XML file, or which parallel files, are columns.
    max_expansion: how many times larger than a compressed file its contents may be.
    features: what columns hold, where that is known; their values are checked and converted.
    bad_row: told about a row that cannot be read; where it returns, the row is left out.
    stretch: the part of the file that is read; None is all of it.
    """

    encoding: str = "utf-8"
    header: bool | None = None
    delimiter: str | None = None
    quoting: bool | None = None
    field: str | None = None
    sample_by: str | None = None
    recipe: Recipe | None = None
    max_expansion: float = MAX_EXPANSION
    features: Mapping[str, Feature] | None = None
    bad_row: Callable[[BadRow], None] = refuse_row
    stretch: Stretch | None = None


def text_buffer(path: Path, options: ReadOptions, *, empty_allowed: bool = False) -> pa.Buffer:
    """The whole file as valid UTF-8 without byte order mark and without NUL.

    A UTF-8 file is memory-mapped, checked in place and not copied; any other encoding is decoded.
    A file with a suffix of compression is unpacked first.

    Raises:
        DataError: an empty file, bytes that the encoding does not know, a NUL, a binary file, or
            compressed data that is not whole.
    """
    if path.suffix.lower() in COMPRESSIONS:
        buffer = _unpacked(path, options.max_expansion)
    else:
        buffer = mapped(path)
    if is_utf8(options.encoding):
        buffer = _checked_utf8(path, buffer)
    else:
        buffer = _decoded(path, buffer, options.encoding)
    if not buffer.size and not empty_allowed:
        raise DataError(
            f"{path} is empty", allowed="a file with at least one row", next_step="check the export"
        )
    nul = _find(buffer, b"\0")
    if nul is not None:
        line, byte = _place(buffer, nul)
        raise DataError(
            f"{path} line {line}, byte {byte}: a NUL byte, which no text has",
            allowed="text without NUL bytes",
            next_step=f"remove it, for example: tr -d '\\000' < {path.name} > clean{path.suffix}",
        )
    return buffer


def mapped(path: Path) -> pa.Buffer:
    """The bytes of a file, memory-mapped.

    Raises:
        DataError: the operating system does not hand the file over.
    """
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:  # an empty file cannot be mapped
                return pa.py_buffer(b"")
            return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _unpacked(path: Path, max_expansion: float) -> pa.Buffer:
    try:
        return decompressed(path, max_expansion)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError | ValueError) -> DataError:
    """The error for a file that the operating system does not hand over."""
    return DataError(
        f"cannot read {path}: {getattr(error, 'strerror', None) or error}",
        allowed="a file that you may read",
        next_step="check the path and its permissions",
    )


def has_signature(data: bytes) -> bool:
    """Whether bytes begin as those of a file that is no UTF-8 text."""
    return data.startswith(tuple(signature for signature, *_ in _SIGNATURES))


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8 under one of its names.

    Raises:
        DataError: no such encoding.
    """
    try:
        return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}
    except LookupError:
        raise DataError(
            f"no text encoding {encoding!r}",
            allowed="a codec of Python, such as utf-8, latin-1, cp1252, utf-16, shift-jis, gb18030",
            next_step="--encoding latin-1",
        ) from None


def _checked_utf8(path: Path, buffer: pa.Buffer) -> pa.Buffer:
    head = buffer.slice(0, min(8, buffer.size)).to_pybytes()
    for signature, what, what_next in _SIGNATURES:
        if head.startswith(signature):
            raise DataError(
                f"{path} holds {what}, not UTF-8 text",
                allowed="text",
                next_step=what_next,
            )
    if head.startswith(codecs.BOM_UTF8):
        buffer = buffer.slice(len(codecs.BOM_UTF8))
    offsets = pa.array([0, buffer.size], type=pa.int64()).buffers()[1]
    try:
        # Arrow checks UTF-8 several times faster than a decode, and makes no copy.
        pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, buffer]).validate(full=True)
    except pa.ArrowInvalid:
        _decode(path, buffer, "utf-8")
        raise
    return buffer


def _decoded(path: Path, buffer: pa.Buffer, encoding: str) -> pa.Buffer:
    text = _decode(path, buffer, encoding)
    try:
        return pa.py_buffer(text.removeprefix("\ufeff").encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line}: half of a surrogate pair, which is not a character",
            allowed="whole characters",
            next_step="check that the encoding is right",
        ) from None


def _decode(path: Path, buffer: pa.Buffer, encoding: str) -> str:
    try:
        return buffer.to_pybytes().decode(encoding)
    except UnicodeDecodeError as error:
        line, byte = _place(buffer, error.start)
        value = error.object[error.start]
        other = "utf-8" if encoding == "latin-1" else "latin-1"
        raise DataError(
            f"{path} line {line}, byte {byte}: 0x{value:02x} is not valid in {encoding}",
            allowed=f"{encoding} text",
            next_step=f'encoding="{other}" (--encoding {other}), or save the file as UTF-8',
        ) from None
    except (LookupError, UnicodeError) as error:
        raise DataError(
            f"{path} cannot be decoded as {encoding!r}: {error}",
            allowed="a text encoding, such as utf-8 or latin-1",
            next_step="--encoding latin-1",
        ) from None


def _find(buffer: pa.Buffer, what: bytes) -> int | None:
    """Where `what` first stands, found in steps of 16 MB."""
    step = 1 << 24
    for start in range(0, buffer.size, step):
        part = buffer.slice(start, min(step, buffer.size - start)).to_pybytes()
        found = part.find(what)
        if found >= 0:
            return start + found
    return None


def _place(buffer: pa.Buffer, position: int) -> tuple[int, int]:
    """(line, byte of the line), both from 1, of a position in the buffer."""
    before = buffer.slice(0, position).to_pybytes()
    return before.count(b"\n") + 1, position - before.rfind(b"\n")
