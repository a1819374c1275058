"""Where cells of CSV and TSV begin and end: slow, exact about lines, the judge of faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headway.data.reading.badrows import BadRow, shown

__all__ = ["Dialect", "Record", "last_record_end", "line_ends", "records", "strictly_quoted"]

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
    line += line_ends(match.group())
    ends = (b"", b"\r", b"\n", dialect.delimiter.encode())
    good = data[match.end() : match.end() + 1] in ends
    return match.end(), line, "" if good else _TEXT_AFTER


def line_ends(data: bytes) -> int:
    r"""The number of line ends: `\n`, `\r\n`, and `\r` alone."""
    codes = np.frombuffer(data, dtype=np.uint8)
    is_feed = codes == ord("\n")
    ends = int(np.count_nonzero(is_feed))
    if b"\r" in data:
        is_return = codes == ord("\r")
        ends += int(np.count_nonzero(is_return[:-1] & ~is_feed[1:])) + int(is_return[-1])
    return ends


def last_record_end(data: bytes, dialect: Dialect) -> int:
    """The end of the last record in the beginning of a file that surely ends there, or 0."""
    newline = b"\n" if b"\n" in data else b"\r"
    # The last byte may be half of a line end.
    last = len(data) if newline == b"\n" else len(data) - 1
    if not dialect.quoting or b'"' not in data:
        return data.rfind(newline, 0, last) + 1
    quotes = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord('"'))
    end = data.rfind(newline, 0, last) + 1
    while end and np.searchsorted(quotes, end) % 2:
        end = data.rfind(newline, 0, end - 1) + 1
    if end and strictly_quoted(data[:end], dialect):
        return end
    end = 0
    for record in records(data, 1, dialect):
        if record.closed and record.end < len(data) and record.fault != NEVER_CLOSED:
            end = record.end
        else:
            break
    return end


def strictly_quoted(data: bytes, dialect: Dialect) -> bool:
    """Whether every double quote opens a cell, closes one or is doubled inside one.

    Quotes alternate between opening and closing when a doubled one counts as closing and opening
    again, so one vectorised look at each quote's neighbours decides. False proves nothing: a
    lone quote inside an unquoted cell is allowed, and `records` finds out.
    """
    if not dialect.quoting or b'"' not in data:
        return True
    codes = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(codes == ord('"'))
    if quotes.size % 2:
        return False
    edges = np.zeros(256, dtype=bool)
    edges[[ord(dialect.delimiter), ord("\r"), ord("\n"), ord('"')]] = True
    opening, closing = quotes[::2], quotes[1::2]
    before, after = opening[opening > 0] - 1, closing[closing < codes.size - 1] + 1
    return bool(edges[codes[before]].all() and edges[codes[after]].all())
