"""JSON documents: a list of rows, an object in which one list holds them, or a SQuAD document.

Rows are objects and columns are their keys, as in JSON lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.data.badrows import BadRow, shown
from headway.data.formats import squad
from headway.data.formats.source import ReadOptions, text_buffer
from headway.data.formats.values import Kinds, RowError, columns_of, kind_of, parse
from headway.errors import DataError

__all__ = ["read_json", "read_squad"]


def read_json(path: Path, options: ReadOptions) -> pa.Table:
    """One JSON document: a list of rows, or an object in which one list holds the rows.

    A row is an object, or a list of cells (then the columns are column_1, column_2, ...). A SQuAD
    document is recognised and read as questions.
    """
    document = _document(path, options)
    if options.field is None and squad.is_squad(document):
        return _table(path, options, squad.rows_of(path, document))
    return _table(path, options, map(_as_object, _list_of_rows(path, document, options.field)))


def read_squad(path: Path, options: ReadOptions) -> pa.Table:
    """A SQuAD document, a row a question: id, title, context, question, answers."""
    document = _document(path, options)
    if not squad.is_squad(document):
        raise DataError(
            f"{path} is not a SQuAD document",
            allowed='{"data": [{"paragraphs": [...]}, ...]}',
            next_step='format="json" (--format json)',
        )
    return _table(path, options, squad.rows_of(path, document))


def _document(path: Path, options: ReadOptions) -> Any:
    text = text_buffer(path, options).to_pybytes().decode()
    try:
        return parse(text)
    except ValueError as error:
        raise _broken_document(path, text, error) from None


def _table(path: Path, options: ReadOptions, rows: Iterable[Any]) -> pa.Table:
    """A table of rows in order, without those that are bad."""
    kinds, good = Kinds(), []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            problem = f"{kind_of(row)} where an object or a list of cells is expected"
            options.bad_row(BadRow(str(path), number, "", shown(row), problem, unit="row"))
            continue
        try:
            kinds.check(row, f"row {number}")
        except RowError as error:
            options.bad_row(error.at(path, number, "row"))
            continue
        good.append(row)
    if not any(good):
        raise DataError(f"{path} holds no rows", allowed="at least one row with one column")
    return columns_of(path, good)


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
        f"{path}: {wanted} in this document, which is {kind_of(document)} with {listing}",
        allowed="a list of rows, or an object with one list of rows",
        next_step='field="NAME" to name the list' if lists else "check the file",
    )


def _as_object(row: Any) -> Any:
    if isinstance(row, list):
        return {f"column_{i}": cell for i, cell in enumerate(row, 1)}
    return row


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
