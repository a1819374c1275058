"""A file of text read part by part: blocks of whole records, several at a time, types settled last.

A format that is read in parts gives, for each block, a table with the types that this block alone
has. Types grow from part to part (nothing, whole numbers, decimals; keys that come later). `whole`
puts the parts into one table, `headway.data.stream` onto the disk.
"""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from headway.data.formats.source import (
    ReadOptions,
    Stretch,
    has_signature,
    is_text,
    is_utf8,
    text_buffer,
)
from headway.data.reading.badrows import BadRow, refuse_row
from headway.data.reading.compression import COMPRESSIONS, unpacked
from headway.errors import DataError

__all__ = ["EMPTY", "KIND", "Block", "Part", "Parts", "conform", "in_order", "text_blocks", "whole"]

BLOCK_BYTES = 1 << 20
# What a field of a part may say about its column: that there is nothing in it but empty cells.
KIND, EMPTY = b"cells", "empty"
_MOST_BYTES = 2**31 - 1 - (1 << 16)  # of one record, which Arrow's parsers count in 32 bits
_MOST_WORKERS = 4

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records: their bytes, valid UTF-8 without NUL, and the line they begin on."""

    data: bytes
    line: int


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


def after_last_line(data: bytes) -> int:
    """The place behind the last line feed."""
    return data.rfind(b"\n") + 1


def lines_in(data: bytes) -> int:
    """The number of line feeds."""
    codes = np.frombuffer(data, dtype=np.uint8)
    return int(np.count_nonzero(codes == ord("\n")))  # several times as fast as bytes.count


def text_blocks(
    path: Path,
    options: ReadOptions,
    cut: Callable[[bytes], int] = after_last_line,
    count_lines: Callable[[bytes], int] = lines_in,
) -> Generator[Block]:
    """The text of a file in blocks of about a megabyte, in memory that does not grow with the file.

    Args:
        path: the file, which may be compressed.
        options: encoding and limits.
        cut: takes bytes that begin with a record and gives the end of the last whole record in
            them, or 0; the end of the file ends a record too.
        count_lines: the number of line ends in bytes.

    Raises:
        DataError: what `text_buffer` refuses.
    """
    begin = options.stretch or Stretch(0, 0)
    rest, line, waiting, size = b"", begin.line, list[bytes](), 0
    first, seen = begin.start == 0, False
    for data, last in _with_last(_utf8_parts(path, options)):
        waiting.append(data)
        size += len(data)
        # A record that is longer than a block is looked at again only when it has doubled.
        if size < max(BLOCK_BYTES, len(rest)) and not last:
            continue
        rest, waiting, size = b"".join([rest, *waiting]), [], 0
        if first and is_utf8(options.encoding):
            if has_signature(rest):
                break
            rest = rest.removeprefix(codecs.BOM_UTF8)
        first = False
        end = len(rest) if last else cut(rest)
        if end == 0 and len(rest) > _MOST_BYTES:
            raise DataError(
                f"{path} line {line}: a row longer than {_MOST_BYTES} bytes",
                allowed="rows of less than 2 GB",
                next_step="look for a double quote that is never closed, or a line end that is "
                "missing",
            )
        if not end:
            continue
        block = Block(rest[:end], line)
        rest = rest[end:]
        if not is_text(block.data):
            break
        line += count_lines(block.data)
        seen = True
        yield block
    else:
        if seen:
            return
    text_buffer(path, options)  # says what is wrong and where
    raise DataError(f"{path} changed while it was read", next_step="read it again")


def in_order(function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """`map` on a few threads, for functions that spend their time in Arrow.

    At most one item more than there are threads is taken ahead, and none lives on after the last.
    """
    items = iter(items)
    first = list(islice(items, 2))
    if len(first) < 2:
        yield from map(function, first)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    workers = min(_MOST_WORKERS, pa.cpu_count())
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for source in (first, items):
                for item in source:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > workers:
                        yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


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


def _utf8_parts(path: Path, options: ReadOptions) -> Iterator[bytes]:
    """The bytes of a file, decompressed, and decoded unless they are UTF-8."""
    compressed = path.suffix.lower() in COMPRESSIONS
    parts = (
        unpacked(path, options.max_expansion) if compressed else _file_parts(path, options.stretch)
    )
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


def _file_parts(path: Path, stretch: Stretch | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        if stretch is None:
            while data := file.read(BLOCK_BYTES):
                yield data
            return
        file.seek(stretch.start)
        while data := file.read(min(BLOCK_BYTES, stretch.stop - file.tell())):
            yield data


def _with_last(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each part, and whether it is the last one."""
    before: bytes | None = None
    for part in parts:
        if before is not None:
            yield before, False
        before = part
    yield before or b"", True
