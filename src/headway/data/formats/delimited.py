"""CSV and TSV: Arrow parses, and a slow exact scanner names the line when something is wrong.

Cells are text. A column becomes whole numbers or decimals only where every cell is one, written as
programs write them (`12`, `0.5`, `6e-08`; but `007`, `1e5` and `NA` stay text); an empty cell is
then a missing number, and in a text column it is an empty text. Dates and true/false stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headway.data.formats.source import ReadOptions, text_buffer
from headway.errors import ConfigError, DataError
from headway.logs import log

__all__ = ["read_csv", "read_tsv"]

_BLOCK_BYTES = 1 << 24
_LONGEST_HEADER_CELL = 64  # characters
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_INTEGER = r"^-?(0|[1-9][0-9]{0,18})$"
_NUMBER = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][-+][0-9]{1,2})?$"
_NUMBER_CELL = re.compile(r"[-+]?[0-9][0-9.,eE+-]*")


def read_csv(path: Path, options: ReadOptions) -> pa.Table:
    """Comma-separated cells (RFC 4180); `;` or a tab is taken where the first line has no comma."""
    buffer = text_buffer(path, options)
    delimiter = options.delimiter or _guess_delimiter(buffer)
    return _read(path, buffer, delimiter, options.quoting is not False, options.header)


def read_tsv(path: Path, options: ReadOptions) -> pa.Table:
    """Tab-separated cells; a double quote is an ordinary character unless `quoting` is asked."""
    buffer = text_buffer(path, options)
    return _read(path, buffer, options.delimiter or "\t", options.quoting is True, options.header)


def _read(
    path: Path, buffer: pa.Buffer, delimiter: str, quoting: bool, header: bool | None
) -> pa.Table:
    delimiter = _one_character(delimiter)
    scan = _Scanner(path, memoryview(buffer), delimiter, quoting)
    if quoting and not _strictly_quoted(buffer, delimiter):
        for _ in scan.records():  # raises where a quote is out of place
            pass
    first = next(scan.records(), None)
    if first is None:
        raise DataError(f"{path} holds only blank lines", allowed="at least one row")
    cells = _parse(path, buffer, scan, columns=first[1])
    return _named(path, cells, header)


def _parse(path: Path, buffer: pa.Buffer, scan: _Scanner, *, columns: int) -> pa.Table:
    """All cells as text, the first line too."""
    import pyarrow.csv as arrow_csv

    names = [f"f{i}" for i in range(columns)]
    parsing = arrow_csv.ParseOptions(
        delimiter=scan.delimiter.decode(),
        quote_char='"' if scan.quoting else False,
        newlines_in_values=scan.quoting,
    )
    conversion = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
    )
    for block_size in (_BLOCK_BYTES, min(buffer.size + 2, 2**31 - 1)):
        try:
            return arrow_csv.read_csv(
                pa.BufferReader(buffer),
                arrow_csv.ReadOptions(column_names=names, block_size=block_size),
                parsing,
                conversion,
            )
        except pa.ArrowInvalid as error:
            fault = error
            if "straddl" not in str(error):  # anything but a row longer than a block
                break
    scan.refuse_ragged(columns)
    raise DataError(f"{path} cannot be read as cells: {fault}") from fault


def _named(path: Path, cells: pa.Table, header: bool | None) -> pa.Table:
    first = [column[0].as_py() for column in cells.columns]
    rows = cells.slice(1)
    if header is None:
        header = _looks_like_header(first, rows)
        log.info("%s: the first line is taken as %s", path, "the header" if header else "a row")
    if not header:
        names = [f"column_{i}" for i in range(1, len(first) + 1)]
        return _typed(cells.rename_columns(names))
    if not rows.num_rows:
        raise DataError(
            f"{path} holds a header line and no rows: {', '.join(first)}",
            allowed="at least one row under the header",
            next_step="headway.read(..., header=False) if this line is a row",
        )
    names = [name.strip() or f"column_{i}" for i, name in enumerate(first, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{path} line 1: column {', '.join(map(repr, twice))} stands there more than once",
            allowed="every column named once",
            next_step="rename one; or headway.read(..., header=False) if the first line is a row",
        )
    return _typed(rows.rename_columns(names))


def _looks_like_header(first: list[str], rows: pa.Table) -> bool:
    """Names: short, no numbers, none empty after the first, none found again in its own column."""
    if any(_NUMBER_CELL.fullmatch(cell) or len(cell) > _LONGEST_HEADER_CELL for cell in first):
        return False
    if not all(cell.strip() for cell in first[1:]) or (len(first) == 1 and " " in first[0]):
        return False
    columns = zip(first, rows.columns, strict=True)
    return not any(pc.any(pc.equal(column, cell)).as_py() for cell, column in columns)


def _typed(table: pa.Table) -> pa.Table:
    columns = [_numbers_or_text(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _numbers_or_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for pattern, kind in ((_INTEGER, pa.int64()), (_NUMBER, pa.float64())):
        # One look at a few rows spares most text columns the full pass.
        if _all_match(column.slice(0, 100), pattern) and _all_match(column, pattern):
            empty = pc.equal(column, "")
            if pc.all(empty).as_py():
                return column
            try:
                return pc.if_else(empty, pa.scalar(None, pa.string()), column).cast(kind)
            except pa.ArrowInvalid:  # a whole number past 64 bits, whose digits are kept as text
                return column
    return column


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    matches = pc.or_(pc.equal(column, ""), pc.match_substring_regex(column, pattern))
    return bool(pc.all(matches).as_py())


def _one_character(delimiter: str) -> str:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ConfigError(
            f"delimiter {delimiter!r} cannot stand between cells",
            allowed="one ASCII character other than a double quote or a line break",
            next_step='delimiter=";" or delimiter="\\t"',
        )
    return delimiter


def _guess_delimiter(buffer: pa.Buffer) -> str:
    head = buffer.slice(0, min(buffer.size, 1 << 16)).to_pybytes()
    line = _NEWLINE.split(_QUOTED.sub(b"", head).lstrip(b"\r\n"), maxsplit=1)[0]
    return next((d for d in (",", ";", "\t") if d.encode() in line), ",")


def _strictly_quoted(buffer: pa.Buffer, delimiter: str) -> bool:
    """Whether every double quote opens a cell, closes one or is doubled inside one.

    Quotes alternate between opening and closing when a doubled one counts as closing and opening
    again, so one vectorised look at each quote's neighbours decides. False proves nothing: a
    lone quote inside an unquoted cell is allowed, and the scanner finds out.
    """
    data = np.frombuffer(buffer, dtype=np.uint8)
    quotes = np.flatnonzero(data == ord('"'))
    if not quotes.size:
        return True
    if quotes.size % 2:
        return False
    edges = np.zeros(256, dtype=bool)
    edges[[ord(delimiter), ord("\r"), ord("\n"), ord('"')]] = True
    opening, closing = quotes[::2], quotes[1::2]
    before, after = opening[opening > 0] - 1, closing[closing < data.size - 1] + 1
    return bool(edges[data[before]].all() and edges[data[after]].all())


class _Scanner:
    """Reads cells one at a time: slow, exact about lines, and the judge of what is wrong."""

    def __init__(self, path: Path, data: memoryview, delimiter: str, quoting: bool) -> None:
        self.path, self.data, self.quoting = path, data, quoting
        self.delimiter = delimiter.encode()
        self._plain = re.compile(rb"[^\r\n" + re.escape(self.delimiter) + rb"]*+")

    def records(self) -> Iterator[tuple[int, int]]:
        """(line of the file from 1, number of cells) of every line that is not blank."""
        position, line = 0, 1
        while position < len(self.data):
            start, cells = line, 0
            blank = _NEWLINE.match(self.data, position)
            while not blank:
                position, line = self._cell(position, line)
                cells += 1
                if bytes(self.data[position : position + 1]) != self.delimiter:
                    break
                position += 1
            newline = _NEWLINE.match(self.data, position)
            if newline:
                position, line = newline.end(), line + 1
            if cells:
                yield start, cells

    def refuse_ragged(self, columns: int) -> None:
        """Raises DataError for the first line whose number of cells is not `columns`."""
        for line, found in self.records():
            if found != columns:
                raise DataError(
                    f"{self.path} line {line}: {found} columns, expected {columns} as in the "
                    "first line",
                    allowed=f"{columns} cells, with {self.delimiter.decode()!r} between them",
                    next_step="put a cell that holds the delimiter in double quotes"
                    if self.quoting
                    else "headway.read(..., quoting=True) if cells stand in double quotes",
                )

    def _cell(self, position: int, line: int) -> tuple[int, int]:
        if not self.quoting or bytes(self.data[position : position + 1]) != b'"':
            match = self._plain.match(self.data, position)
            assert match is not None  # the pattern matches the empty cell too
            return match.end(), line
        match = _QUOTED.match(self.data, position)
        if match is None:
            raise self._misquoted(line, "a double quote opens a cell and is never closed")
        end_line = line + len(_NEWLINE.findall(match.group()))
        if bytes(self.data[match.end() : match.end() + 1]) not in (
            b"",
            b"\r",
            b"\n",
            self.delimiter,
        ):
            raise self._misquoted(end_line, "text stands after the double quote that closes a cell")
        return match.end(), end_line

    def _misquoted(self, line: int, what: str) -> DataError:
        return DataError(
            f"{self.path} line {line}: {what}",
            allowed='a cell in double quotes, with a quote inside it doubled ("")',
            next_step="close or double it; or headway.read(..., quoting=False) if quotes are plain "
            "characters",
        )
