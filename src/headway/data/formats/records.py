"""JSON lines and JSON files: rows are objects, columns are their keys.

Two ways lead to the same table. Arrow's parser is the fast one; it is believed only where it
cannot differ from the other, which reads one record after the other with Python's `json`, says
what is wrong and on which line, and is the definition of what is allowed:

- a value is missing (null) where a row lacks the key or holds null;
- whole numbers and decimals in one column become decimals; any other mixture is an error;
- a text that looks like a date stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headway.data.formats import squad
from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import DataError

__all__ = ["read_json", "read_jsonl", "read_jsonl_slowly", "read_squad", "table_of_records"]

_DEEPEST = 100  # levels of lists and objects inside one row
_MOST_BRACKETS = 1000  # on a line; Arrow's parser overflows the stack on deep nesting
_NULL = re.compile(b"null")
_KINDS = {
    bool: "true/false",
    int: "a whole number",
    float: "a decimal number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def read_jsonl(path: Path, options: ReadOptions) -> pa.Table:
    """One JSON object on every line; blank lines are skipped."""
    buffer = text_buffer(path, options)
    table = _read_fast(buffer)
    return read_jsonl_slowly(path, buffer) if table is None else table


def read_jsonl_slowly(path: Path, buffer: pa.Buffer) -> pa.Table:
    """The readable twin of the fast path, and what says where a file is wrong."""
    rows = []
    for number, line in enumerate(buffer.to_pybytes().split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        try:
            row = _parse(line.decode())
        except ValueError as error:
            raise _broken_line(place, line, error) from None
        if not isinstance(row, dict):
            raise DataError(
                f"{place}: {_kind(row)} where an object is expected",
                allowed='one object on a line, such as {"text": "...", "label": "..."}',
                next_step='format="json" (--format json) if the file is one JSON document',
            )
        rows.append((place, row))
    return table_of_records(path, rows)


def read_json(path: Path, options: ReadOptions) -> pa.Table:
    """One JSON document: a list of rows, or an object in which one list holds the rows.

    A row is an object, or a list of cells (then the columns are column_1, column_2, ...). A SQuAD
    document is recognised and read as questions.
    """
    document = _document(path, options)
    if options.field is None and squad.is_squad(document):
        return _numbered(path, squad.rows_of(path, document))
    return _numbered(path, map(_as_object, _list_of_rows(path, document, options.field)))


def read_squad(path: Path, options: ReadOptions) -> pa.Table:
    """A SQuAD document, a row a question: id, title, context, question, answers."""
    document = _document(path, options)
    if not squad.is_squad(document):
        raise DataError(
            f"{path} is not a SQuAD document",
            allowed='{"data": [{"paragraphs": [...]}, ...]}',
            next_step='format="json" (--format json)',
        )
    return _numbered(path, squad.rows_of(path, document))


def table_of_records(path: Path, rows: Iterable[tuple[str, Any]]) -> pa.Table:
    """A table of (place, row) pairs; the place is what an error about that row says.

    Raises:
        DataError: no rows, a row that is not an object, or a column of mixed kinds.
    """
    kinds: dict[str, tuple[str, str]] = {}
    values: list[dict[str, Any]] = []
    for place, row in rows:
        if not isinstance(row, dict):
            raise DataError(f"{place}: {_kind(row)} where an object or a list of cells is expected")
        for name, value in row.items():
            _check(value, name, place, kinds)
        values.append(row)
    names = list(dict.fromkeys(name for row in values for name in row))
    if not names:
        raise DataError(f"{path} holds no rows", allowed="at least one row with one column")
    columns = []
    for name in names:
        try:
            columns.append(pa.array([row.get(name) for row in values]))
        except (pa.ArrowException, OverflowError, TypeError) as error:
            raise DataError(f"{path}, column {name!r}: {error}") from error
    return pa.table(columns, names=names)


def _document(path: Path, options: ReadOptions) -> Any:
    text = text_buffer(path, options).to_pybytes().decode()
    try:
        return _parse(text)
    except ValueError as error:
        raise _broken_document(path, text, error) from None


def _numbered(path: Path, rows: Iterable[Any]) -> pa.Table:
    return table_of_records(path, ((f"{path} row {n}", row) for n, row in enumerate(rows, 1)))


def _read_fast(buffer: pa.Buffer) -> pa.Table | None:
    """Arrow's reading of the lines, or None where it may differ from the slow one."""
    rows = _count_plain_rows(buffer)
    if rows is None or _nulls_in_lists(buffer):
        return None
    import pyarrow.json as arrow_json

    schema = None
    for block_size in (1 << 24, min(buffer.size + 2, 2**31 - 1), 1 << 24):
        try:
            table = arrow_json.read_json(
                pa.BufferReader(buffer),
                arrow_json.ReadOptions(block_size=block_size),
                arrow_json.ParseOptions(explicit_schema=schema),
            )
        except pa.ArrowInvalid as error:
            if "straddl" in str(error):  # a row longer than a block
                continue
            return None
        if any(_deeper(field.type, _DEEPEST) for field in table.schema):
            return None
        texts = _dates_as_text(table.schema)
        if schema is None and texts != table.schema:
            schema = texts
            continue
        same_rows = table.num_rows == rows and table.num_columns > 0
        return table if same_rows and _numbers_kept(table) else None
    return None


def _count_plain_rows(buffer: pa.Buffer) -> int | None:
    """The number of lines that are not empty, if each looks like one flat enough object."""
    data = np.frombuffer(buffer, dtype=np.uint8)
    newlines = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [data.size]])
    ends = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == ord("\r")))
    full = ends > starts
    starts, ends = starts[full], ends[full]
    if not starts.size or (data[starts] != ord("{")).any() or (data[ends - 1] != ord("}")).any():
        return None
    openings = np.flatnonzero((data == ord("{")) | (data == ord("[")))
    brackets = np.searchsorted(openings, ends) - np.searchsorted(openings, starts)
    return int(starts.size) if brackets.max() <= _MOST_BRACKETS else None


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


def _deeper(kind: pa.DataType, levels: int) -> bool:
    """Whether a type is nested deeper than so many levels."""
    if levels < 0:
        return True
    return any(_deeper(kind.field(i).type, levels - 1) for i in range(kind.num_fields))


def _nulls_in_lists(buffer: pa.Buffer) -> bool:
    """Whether a null may be an item of a list: Arrow's parser then makes arrays of wrong length.

    Such a null follows a bracket or a comma, where that of an object follows a colon.
    """
    view = memoryview(buffer)
    for null in _NULL.finditer(view):
        before = null.start() - 1
        while before > 0 and view[before] in b" \t\r":
            before -= 1
        if view[before] in b"[,":
            return True
    return False


def _any_huge(decimals: pa.Array) -> bool:
    return bool(pc.any(pc.greater_equal(pc.abs(decimals), float(2**53))).as_py())


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(f"lists or objects nested more than {_DEEPEST} deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _check(value: Any, name: str, place: str, kinds: dict[str, tuple[str, str]]) -> None:
    """Raises DataError where a value is of another kind than those seen before in its column."""
    for path, depth, leaf in _walk(value, name):
        if depth > _DEEPEST:
            raise DataError(
                f"{place}, column {name!r}: nested more than {_DEEPEST} deep",
                next_step="flatten the rows",
            )
        if leaf is None:
            continue
        problem = _unstorable(leaf)
        if problem:
            raise DataError(f"{place}, column {path!r}: {problem}", allowed="what JSON text allows")
        kind = "a number" if type(leaf) in (int, float) else _kind(leaf)
        before, where = kinds.setdefault(path, (kind, place))
        if kind != before:
            raise DataError(
                f"{place}, column {path!r}: {kind} ({_shown(leaf)}), but {before} in "
                + " ".join(where.rsplit(" ", 2)[-2:]),
                allowed="one kind of value in a column",
                next_step="write all values of this column the same way, for example as text",
            )


def _walk(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, int, Any]]:
    yield path, depth, value
    if depth <= _DEEPEST:
        if isinstance(value, list):
            for item in value:
                yield from _walk(item, f"{path}[]", depth + 1)
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from _walk(item, f"{path}.{key}", depth + 1)


def _unstorable(leaf: Any) -> str:
    if isinstance(leaf, str) and not leaf.isascii():
        try:
            leaf.encode()
        except UnicodeEncodeError:
            return f"half of a surrogate pair in {_shown(leaf)}"
    if type(leaf) is int and not -(2**63) <= leaf < 2**63:
        return f"{_shown(leaf)} does not fit in 64 bits; write it as text"
    return ""


def _list_of_rows(path: Path, document: Any, field: str | None) -> list[Any]:
    if isinstance(document, list) and field is None:
        return document
    lists = {}
    if isinstance(document, dict):
        lists = {name: value for name, value in document.items() if isinstance(value, list)}
    if field is not None and field in lists:
        return lists[field]
    if field is None and len(lists) == 1:
        return next(iter(lists.values()))
    listing = ", ".join(f"{name} ({len(rows)})" for name, rows in lists.items()) or "no list"
    wanted = f"no list {field!r}" if field is not None else "no single list of rows"
    raise DataError(
        f"{path}: {wanted} in this document, which is {_kind(document)} with {listing}",
        allowed="a list of rows, or an object with one list of rows",
        next_step='field="NAME" to name the list' if lists else "check the file",
    )


def _as_object(row: Any) -> Any:
    if isinstance(row, list):
        return {f"column_{i}": cell for i, cell in enumerate(row, 1)}
    return row


def _broken_line(place: str, line: bytes, error: ValueError) -> DataError:
    if not isinstance(error, json.JSONDecodeError):
        return DataError(f"{place}: {error}")
    document = line.strip() in (b"[", b"{") or line.lstrip().startswith(b"[")
    return DataError(
        f"{place}, column {error.colno}: not JSON: {error.msg}",
        allowed="one whole JSON object on every line",
        next_step='format="json" (--format json) if the file is one JSON document'
        if document
        else "correct or remove the line",
    )


def _broken_document(path: Path, text: str, error: ValueError) -> DataError:
    if not isinstance(error, json.JSONDecodeError):
        return DataError(f"{path}: {error}")
    lines = error.msg == "Extra data" and text.lstrip().startswith("{")
    return DataError(
        f"{path} line {error.lineno}, column {error.colno}: not JSON: {error.msg}",
        allowed="one whole JSON document",
        next_step='format="jsonl" (--format jsonl), since every line looks like a document'
        if lines
        else "correct the file",
    )


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _shown(value: Any) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."
