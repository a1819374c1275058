"""JSON lines: an object on every line, read in blocks on a few threads.

Three ways lead to the same table. Plain objects, without lists and objects inside, are read in one
pass over the bytes (`native/data/json_lines.cc`). Arrow's parser takes the others; it is believed
only where it cannot differ from the slow way, which reads one record after the other with Python's
`json`, says what is wrong and on which line, and is the definition of what is allowed:

- a value is missing (null) where a row lacks the key or holds null;
- whole numbers and decimals in one column become decimals; any other mixture is an error;
- a text that looks like a date stays text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data import _native
from headway.data import compute as pc
from headway.data.badrows import BadRow, refuse_row, shown
from headway.data.formats.parts import Block, Part, Parts, TextBlocks, plain, whole
from headway.data.formats.source import ReadOptions
from headway.data.formats.values import DEEPEST, Kinds, RowError, columns_of, kind_of, parse
from headway.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["JSON_LINES", "read_fast", "read_jsonl", "read_nested", "read_slowly"]

_MOST_BRACKETS = 1000  # on a line; Arrow's parser overflows the stack on deep nesting


def read_jsonl(path: Path, options: ReadOptions) -> pa.Table:
    """One JSON object on every line; blank lines are skipped."""
    return whole(path, options, JSON_LINES)


def _parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    """A part for each block, fast where that is safe; kinds that do not mix are found out here."""
    seen = plain(known) if known is not None else pa.schema([])

    def fast(view: memoryview) -> Part | None:
        return read_fast(view, seen)

    for block, part in TextBlocks(path, options).map(fast):
        if part is None or not _fits(seen, part.table.schema):
            part = read_slowly(path, options, block, Kinds.of(seen, "the lines above"))
        if part.rows:
            seen = _widen(seen, plain(part.table.schema))
            yield part


def read_slowly(path: Path, options: ReadOptions, block: Block, kinds: Kinds) -> Part:
    """The readable twin of the fast way, and what says where a file is wrong."""
    rows = []
    for number, line in enumerate(block.data.split(b"\n"), block.line):
        if not line.strip():
            continue
        try:
            row = parse(line.decode())
        except ValueError as error:
            options.bad_row(_broken_line(path, number, line, error))
            continue
        if not isinstance(row, dict):
            options.bad_row(
                BadRow(
                    str(path),
                    number,
                    "",
                    shown(row),
                    f"{kind_of(row)} where an object is expected",
                    'one object on a line, such as {"text": "...", "label": "..."}',
                    'format="json" (--format json) if the file is one JSON document',
                )
            )
            continue
        try:
            kinds.check(row, f"line {number}")
        except RowError as error:
            # Another pass is worth it for the one error that ends the reading.
            if options.bad_row is refuse_row and "the lines above" in str(error):
                error = _with_first_line(path, options, row, number)
            options.bad_row(error.at(path, number, "line"))
            continue
        rows.append(row)
    return Part(columns_of(path, rows), len(rows))


def _with_first_line(path: Path, options: ReadOptions, row: Any, number: int) -> RowError:
    """The error about a row once more, now with the line that it contradicts."""
    kinds = Kinds()
    for block in TextBlocks(path, replace(options, stretch=None)):
        for there, line in enumerate(block.data.split(b"\n"), block.line):
            try:
                kinds.check(row if there == number else parse(line.decode()), f"line {there}")
            except RowError as error:
                if there == number:
                    return error
            except (ValueError, AttributeError):  # was left out before
                continue
    raise DataError(f"{path} changed while it was read", next_step="read it again")


def read_fast(data: memoryview | bytes, hint: pa.Schema) -> Part | None:
    """The rows of plain objects, or what Arrow reads, or None where that may be another table.

    Args:
        data: whole lines.
        hint: types that columns have elsewhere, which spares a second reading.
    """
    rows = _native.read_json_lines(data)
    if rows is not None:
        # pa.table() imports pandas, if it is there, to see that these are none of its rows.
        table = pa.Table.from_batches([pa.record_batch(rows)])
        return Part(table, table.num_rows) if table.num_columns else None
    return read_nested(bytes(data), hint)


def read_nested(data: bytes, hint: pa.Schema) -> Part | None:
    """Arrow's reading of the lines, or None where it may differ from the slow one."""
    rows = _count_plain_rows(data)
    if rows is None:
        return None
    given = pa.schema([one for one in hint if not _has(pa.types.is_null, one.type)])
    table = _parsed(data, given) if len(given) else None
    if table is None:
        table = _parsed(data, None)
    if table is None or any(_deeper(one.type, DEEPEST) for one in table.schema):
        return None
    if any(_has(pa.types.is_list, one.type) for one in table.schema) and _nulls_in_lists(data):
        return None
    texts = _dates_as_text(table.schema)
    if texts != table.schema:
        table = _parsed(data, texts)
    if table is None or table.num_rows != rows or not table.num_columns:
        return None
    return Part(table, rows) if _numbers_kept(table) else None


def _parsed(data: bytes, schema: pa.Schema | None) -> pa.Table | None:
    import pyarrow.json as arrow_json

    try:
        return arrow_json.read_json(
            pa.BufferReader(data),
            arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 2),
            arrow_json.ParseOptions(explicit_schema=schema),
        )
    except pa.ArrowInvalid:
        return None


def _count_plain_rows(data: bytes) -> int | None:
    """The number of lines that are not empty, if each looks like one flat enough object."""
    codes = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(codes == ord("\n"))
    brackets = int(np.count_nonzero(codes == ord("{"))) + data.count(b"[")
    if data[:1] == b"{" and data[-2:] == b"}\n" and brackets - newlines.size <= _MOST_BRACKETS:
        starts, ends = newlines[:-1] + 1, newlines - 1
        if (codes[starts] == ord("{")).all() and (codes[ends] == ord("}")).all():
            return int(newlines.size)  # what most files are, found out several times faster
    return _count_rows(codes, newlines)


def _count_rows(codes: npt.NDArray[np.uint8], newlines: npt.NDArray[np.intp]) -> int | None:
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [codes.size]])
    ends = ends - ((ends > starts) & (codes[np.maximum(ends - 1, 0)] == ord("\r")))
    full = ends > starts
    starts, ends = starts[full], ends[full]
    if not starts.size or (codes[starts] != ord("{")).any() or (codes[ends - 1] != ord("}")).any():
        return None
    openings = np.flatnonzero((codes | 0x20) == ord("{"))
    brackets = np.searchsorted(openings, ends) - np.searchsorted(openings, starts)
    return int(starts.size) if brackets.max() <= _MOST_BRACKETS else None


def _nulls_in_lists(data: bytes) -> bool:
    """Whether a null may be an item of a list: Arrow's parser then makes arrays of wrong length.

    Such a null follows a bracket or a comma, where that of an object follows a colon.
    """
    null = data.find(b"null")
    while null >= 0:
        before = null - 1
        while before > 0 and data[before] in b" \t\r":
            before -= 1
        if data[before] in b"[,":
            return True
        null = data.find(b"null", null + 4)
    return False


def _dates_as_text(schema: pa.Schema) -> pa.Schema:
    def as_text(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_temporal(kind):
            return pa.string()
        if pa.types.is_list(kind):
            return pa.list_(as_text(kind.value_type))
        if pa.types.is_struct(kind):
            return pa.struct([(field.name, as_text(field.type)) for field in kind])
        return kind

    return pa.schema([(field.name, as_text(field.type)) for field in schema])


def _numbers_kept(table: pa.Table) -> bool:
    """Whether no decimal is so large that it may have been a whole number before."""
    leaves = [chunk for column in table.columns for chunk in column.chunks]
    while leaves:
        leaf = leaves.pop()
        if pa.types.is_nested(leaf.type):
            inner = leaf.flatten()
            leaves.extend(inner if isinstance(inner, list) else [inner])
        elif pa.types.is_floating(leaf.type) and _any_huge(leaf):
            return False
    return True


def _any_huge(decimals: pa.Array) -> bool:
    return bool(pc.any(pc.greater_equal(pc.abs(decimals), float(2**53))).as_py())


def _deeper(kind: pa.DataType, levels: int) -> bool:
    """Whether a type is nested deeper than so many levels."""
    if levels < 0:
        return True
    return any(_deeper(kind.field(i).type, levels - 1) for i in range(kind.num_fields))


def _has(test: Callable[[pa.DataType], bool], kind: pa.DataType) -> bool:
    """Whether a type, or one inside it, passes a test."""
    return test(kind) or any(_has(test, kind.field(i).type) for i in range(kind.num_fields))


def _fits(seen: pa.Schema, schema: pa.Schema) -> bool:
    try:
        _widen(seen, schema)
    except pa.ArrowException:
        return False
    return True


def _widen(a: pa.Schema, b: pa.Schema) -> pa.Schema:
    return pa.unify_schemas([a, b], promote_options="permissive")


def _broken_line(path: Path, number: int, line: bytes, error: ValueError) -> BadRow:
    value = shown(line.decode(errors="replace"))
    if not isinstance(error, json.JSONDecodeError):
        return BadRow(str(path), number, "", value, str(error))
    document = line.strip() in (b"[", b"{") or line.lstrip().startswith(b"[")
    return BadRow(
        str(path),
        number,
        "",
        value,
        f"not JSON at character {error.colno}: {error.msg}",
        "one whole JSON object on every line",
        'format="json" (--format json) if the file is one JSON document'
        if document
        else "correct or remove the line",
    )


JSON_LINES = Parts(_parts, _widen)
