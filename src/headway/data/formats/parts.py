"""A file of text read part by part: blocks of whole records, several at a time, types settled last.

A format that is read in parts gives, for each block, a table with the types that this block alone
has. Types grow from part to part (nothing, whole numbers, decimals; keys that come later). `whole`
puts the parts into one table, `headway.data.stream` onto the disk.
"""

from __future__ import annotations

import codecs
import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

import pyarrow as pa

from headway.data import _native
from headway.data.badrows import BadRow, refuse_row
from headway.data.formats.compression import COMPRESSIONS, unpacked
from headway.data.formats.source import (
    ReadOptions,
    Stretch,
    has_signature,
    is_utf8,
    text_buffer,
)
from headway.data.threads import in_order
from headway.errors import DataError

__all__ = ["EMPTY", "KIND", "Block", "Part", "Parts", "TextBlocks", "conform", "whole"]

BLOCK_BYTES = 1 << 20
# What a field of a part may say about its column: that there is nothing in it but empty cells.
KIND, EMPTY = b"cells", "empty"
_MOST_BYTES = 2**31 - 1 - (1 << 16)  # of one record, which Arrow's parsers count in 32 bits
_BLOCKS_KEPT = 6  # as many as are read ahead, and some

B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records: their bytes, valid UTF-8 without NUL, and the line they begin on."""

    view: memoryview
    line: int

    @property
    def data(self) -> bytes:
        """A copy of the bytes."""
        return bytes(self.view)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a block. Their number is said, since a table without columns does not know it."""

    table: pa.Table
    rows: int


@dataclass(frozen=True, slots=True)
class Parts:
    """How a format is read in parts.

    read: path, options and the types that the file is known to have, or None; parts come out.
    widen: the types of two parts together.
    """

    read: Callable[[Path, ReadOptions, pa.Schema | None], Iterator[Part]]
    widen: Callable[[pa.Schema, pa.Schema], pa.Schema]


class TextBlocks:
    """The text of a file in blocks of about a megabyte, in memory that does not grow with the file.

    They are gone through once: block by block, several blocks at a time (`map`), or first the one,
    then the other.

    Args:
        path: the file, which may be compressed.
        options: encoding and limits.
        cut: takes bytes that begin with a record and gives the end of the last whole record in
            them, or 0; the end of the file ends a record too.
        count_lines: the number of line ends in bytes.

    Raises:
        DataError: while blocks are taken: what `text_buffer` refuses; a record too long for Arrow.
    """

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        cut: Callable[[memoryview], int] = _native.last_feed,
        count_lines: Callable[[memoryview], int] = _native.count_feeds,
    ) -> None:
        self._path, self._options = path, options
        self._views = _views(path, options, cut)
        self._count_lines = count_lines
        begin = options.stretch or Stretch(0, 0)
        self._line, self._is_beginning, self._is_empty = begin.line, begin.start == 0, True

    def __iter__(self) -> Iterator[Block]:
        for view in self._good_views():
            yield self._placed(view, self._lines(view))

    def map(self, function: Callable[[memoryview], B]) -> Iterator[tuple[Block, B]]:
        """Each block and what a function gives for its bytes, on a few threads."""

        def looked_at(view: memoryview) -> tuple[memoryview, int | None, B | None]:
            lines = self._lines(view)
            return view, lines, None if lines is None else function(view)

        for view, lines, found in in_order(looked_at, self._good_views()):
            block = self._placed(view, lines)
            yield block, cast(B, found)

    def _good_views(self) -> Iterator[memoryview]:
        """Those that may be text, by their beginning."""
        for view in self._views:
            if self._is_beginning and is_utf8(self._options.encoding):
                if has_signature(bytes(view[:8])):
                    raise self._fault()
                if bytes(view[:3]) == codecs.BOM_UTF8:
                    view = view[3:]
            self._is_beginning = False
            if len(view):
                self._is_empty = False
                yield view
        if self._is_empty:
            raise self._fault()

    def _lines(self, view: memoryview) -> int | None:
        """How many lines end in it; None if it is no text."""
        return self._count_lines(view) if _native.is_text(view) else None

    def _placed(self, view: memoryview, lines: int | None) -> Block:
        if lines is None:
            raise self._fault()
        block = Block(view, self._line)
        self._line += lines
        return block

    def _fault(self) -> DataError:
        """What is wrong with the file, and where."""
        try:
            text_buffer(self._path, self._options)
        except DataError as error:
            return error
        return DataError(f"{self._path} changed while it was read", next_step="read it again")


def whole(path: Path, options: ReadOptions, parts: Parts) -> pa.Table:
    """All parts under each other, with the types of the file as a whole."""
    known: pa.Schema | None = None
    while True:
        found: list[Part] = []
        schema = known
        for part in parts.read(path, options, known):
            schema = part.table.schema if schema is None else parts.widen(schema, part.table.schema)
            found.append(part)
        if schema is None or not len(schema):
            raise DataError(f"{path} holds no rows", allowed="at least one row with one column")
        tables = [table for part in found if (table := conform(part, schema, path)) is not None]
        if len(tables) == len(found):
            return pa.concat_tables(tables)
        known, options = schema, without_counting(options)


def conform(part: Part, schema: pa.Schema, path: Path) -> pa.Table | None:
    """A part with the columns and types of a schema, or None where its values were read narrower.

    Raises:
        DataError: a whole number that a decimal cannot hold.
    """
    columns = []
    for field in schema:
        place = part.table.schema.get_field_index(field.name)
        if place < 0:
            columns.append(pa.nulls(part.rows, field.type))
            continue
        column = part.table.column(place)
        if column.type != field.type:
            if (part.table.field(place).metadata or {}).get(KIND) == EMPTY.encode():
                columns.append(pa.nulls(part.rows, field.type))
                continue
            if pa.types.is_string(field.type) and not pa.types.is_null(column.type):
                return None
            column = _cast(column, field, path)
        columns.append(column)
    return pa.table(columns, schema=plain(schema))


def plain(schema: pa.Schema) -> pa.Schema:
    """Names and types only."""
    return pa.schema([(field.name, field.type) for field in schema])


def without_counting(options: ReadOptions) -> ReadOptions:
    """The options for another pass over the same file, in which bad rows were counted before."""
    if options.bad_row is refuse_row:
        return options
    return replace(options, bad_row=_counted)


def _counted(row: BadRow) -> None:
    pass


def _cast(column: pa.ChunkedArray, field: pa.Field, path: Path) -> pa.ChunkedArray:
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), field.type)])
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{path}, column {field.name!r}: a whole number stands in a column of decimals and is "
            f"too large for one: {error}",
            next_step="write the numbers of this column as text",
        ) from error


def _views(
    path: Path, options: ReadOptions, cut: Callable[[memoryview], int]
) -> Iterator[memoryview]:
    """Bytes of whole records, decompressed and decoded if need be, but not looked at."""
    if path.suffix.lower() in COMPRESSIONS or not is_utf8(options.encoding):
        return _streamed(path, _utf8_parts(path, options), cut)
    return _mapped(path, options.stretch, cut)


def _mapped(
    path: Path, stretch: Stretch | None, cut: Callable[[memoryview], int]
) -> Iterator[memoryview]:
    """Views into the file itself, whose pages are let go some blocks behind."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:  # cannot be mapped
            return
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    whole = memoryview(mapped)
    start, size = (0, size) if stretch is None else (stretch.start, min(size, stretch.stop))
    kept = start // mmap.PAGESIZE * mmap.PAGESIZE
    while start < size:
        stop, end = start, 0
        while not end:
            # A record that is longer than a block is looked at again only when it has doubled.
            stop = min(size, start + max(BLOCK_BYTES, 2 * (stop - start)))
            end = stop - start if stop == size else cut(whole[start:stop])
            _refuse_endless(path, end, stop - start)
        yield whole[start : start + end]
        start += end
        behind = (start - _BLOCKS_KEPT * BLOCK_BYTES) // mmap.PAGESIZE * mmap.PAGESIZE
        if behind > kept and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED, kept, behind - kept)
            kept = behind


def _streamed(
    path: Path, parts: Iterator[bytes], cut: Callable[[memoryview], int]
) -> Iterator[memoryview]:
    rest, waiting, size = memoryview(b""), list[bytes](), 0
    for data, last in _with_last(parts):
        waiting.append(data)
        size += len(data)
        if size < max(BLOCK_BYTES, len(rest)) and not last:
            continue
        rest, waiting, size = memoryview(b"".join([rest, *waiting])), [], 0
        end = len(rest) if last else cut(rest)
        _refuse_endless(path, end, len(rest))
        if end:
            yield rest[:end]
            rest = rest[end:]


def _refuse_endless(path: Path, end: int, size: int) -> None:
    if end == 0 and size > _MOST_BYTES:
        raise DataError(
            f"{path}: a row longer than {_MOST_BYTES} bytes",
            allowed="rows of less than 2 GB",
            next_step="look for a double quote that is never closed, or a line end that is missing",
        )


def _utf8_parts(path: Path, options: ReadOptions) -> Iterator[bytes]:
    """The bytes of a file, decompressed, and decoded unless they are UTF-8."""
    compressed = path.suffix.lower() in COMPRESSIONS
    parts = unpacked(path, options.max_expansion) if compressed else _file_parts(path)
    if is_utf8(options.encoding):
        yield from parts
        return
    try:
        b"text".decode(options.encoding, "ignore")
        decoder = codecs.getincrementaldecoder(options.encoding)()
    except (LookupError, UnicodeError):  # no codec of text, or one that takes only whole files
        yield text_buffer(path, options).to_pybytes()
        return
    first = True
    for data, last in _with_last(parts):
        try:
            text = decoder.decode(data, last)
            if first:
                text = text.removeprefix("\ufeff")
            yield text.encode()
        except UnicodeError:
            text_buffer(path, options)
            raise
        first = first and not text


def _file_parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(BLOCK_BYTES):
            yield data


def _with_last(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each part, and whether it is the last one."""
    before: bytes | None = None
    for part in parts:
        if before is not None:
            yield before, False
        before = part
    yield before or b"", True
