"""Where cells of CSV and TSV begin and end: slow, exact about lines, the judge of faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headway.data import _native
from headway.data.badrows import BadRow, shown

__all__ = ["Dialect", "Record", "last_record_end", "records"]

_NEWLINE = re.compile(rb"\r\n|\r|\n")
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
NEVER_CLOSED = "a double quote opens a cell and is never closed"
_TEXT_AFTER = "text stands after the double quote that closes a cell"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What stands between cells, and whether a cell may stand in double quotes."""

    delimiter: str
    quoting: bool
    _plain: re.Pattern[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pattern = rb"[^\r\n" + re.escape(self.delimiter.encode()) + rb"]*+"
        object.__setattr__(self, "_plain", re.compile(pattern))

    def bare_cell(self, data: bytes, position: int) -> int:
        """The end of a cell without quotes."""
        match = self._plain.match(data, position)
        assert match is not None  # the pattern matches the empty cell too
        return match.end()


@dataclass(frozen=True, slots=True)
class Record:
    """One row of cells, which may be several lines.

    line: where it begins, from 1, or where its fault is.
    cells: how many it has.
    start, end: its bytes, with the line end.
    fault: what is wrong with its quotes, or empty.
    closed: whether a line end was seen behind it.
    """

    line: int
    cells: int
    start: int
    end: int
    fault: str
    closed: bool

    def bad_row(self, path: Path, data: bytes, columns: int, dialect: Dialect) -> BadRow | None:
        """What is wrong with it, where it shall have so many cells."""
        value = shown(data[self.start : min(self.end, self.start + 200)].decode(errors="replace"))
        if self.fault:
            return BadRow(
                str(path),
                self.line,
                "",
                value,
                self.fault,
                'a cell in double quotes, with a quote inside it doubled ("")',
                "close or double it; or headway.read(..., quoting=False) if quotes are plain "
                "characters",
            )
        if self.cells == columns:
            return None
        return BadRow(
            str(path),
            self.line,
            "",
            value,
            f"{self.cells} columns, expected {columns} as in the first line",
            f"{columns} cells, with {dialect.delimiter!r} between them",
            "put a cell that holds the delimiter in double quotes"
            if dialect.quoting
            else "headway.read(..., quoting=True) if cells stand in double quotes",
        )


def records(data: bytes, line: int, dialect: Dialect) -> Iterator[Record]:
    """Every line that is not blank; after a fault it goes on with the next line of the file.

    Args:
        data: whole records, or the beginning of a file.
        line: the number of the first line.
        dialect: what separates cells.
    """
    position, delimiter = 0, dialect.delimiter.encode()
    while position < len(data):
        start, first, cells, fault = position, line, 0, ""
        blank = _NEWLINE.match(data, position)
        while not blank:
            position, line, fault = _cell(data, position, line, dialect)
            cells += 1
            if fault or data[position : position + 1] != delimiter:
                break
            position += 1
        newline = (_NEWLINE.search if fault else _NEWLINE.match)(data, position)
        at = line if fault else first
        if newline:
            position, line = newline.end(), line + 1
        elif fault:
            position = len(data)
        if cells:
            yield Record(at, cells, start, position, fault, newline is not None)


def _cell(data: bytes, position: int, line: int, dialect: Dialect) -> tuple[int, int, str]:
    """The end of a cell, the line it ends on, and what is wrong with it."""
    if not dialect.quoting or data[position : position + 1] != b'"':
        return dialect.bare_cell(data, position), line, ""
    match = _QUOTED.match(data, position)
    if match is None:
        return position, line, NEVER_CLOSED
    line += _native.count_line_ends(match.group())
    ends = (b"", b"\r", b"\n", dialect.delimiter.encode())
    good = data[match.end() : match.end() + 1] in ends
    return match.end(), line, "" if good else _TEXT_AFTER


def last_record_end(data: memoryview, dialect: Dialect) -> int:
    """The end of the last record in the beginning of a file that surely ends there, or 0."""
    if not dialect.quoting:
        return _native.last_line_end(data)
    end, strict = _native.last_record_end(data, dialect.delimiter)
    if end and strict:
        return end
    end = 0
    for record in records(bytes(data), 1, dialect):
        if record.closed and record.end < len(data) and record.fault != NEVER_CLOSED:
            end = record.end
        else:
            break
    return end
