"""CSV and TSV, read in blocks on a few threads; a slow exact scanner finds faults.

Cells are text. A column becomes whole numbers or decimals only where every cell is one, written as
programs write them (`12`, `0.5`, `6e-08`; but `007`, `1e5` and `NA` stay text); an empty cell is
then a missing number, and in a text column it is an empty text. Dates and true/false stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from headway.data import _native
from headway.data import compute as pc
from headway.data.features import Label, Text
from headway.data.formats.cells import Dialect, last_record_end, records
from headway.data.formats.parts import EMPTY, KIND, Block, Part, Parts, TextBlocks, whole
from headway.data.formats.source import ReadOptions
from headway.errors import ConfigError, DataError
from headway.logs import log

__all__ = ["CSV", "TSV", "read_csv", "read_tsv"]

_LONGEST_HEADER_CELL = 64  # characters
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_INTEGER = r"^-?(0|[1-9][0-9]{0,18})$"
_NUMBER = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][-+][0-9]{1,2})?$"
_NUMBER_CELL = re.compile(r"[-+]?[0-9][0-9.,eE+-]*")
_TYPES = {"long": pa.int64(), "decimal": pa.float64(), "text": pa.string()}


@dataclass(frozen=True, slots=True)
class _File:
    """What is known of a file once its first block was looked at."""

    path: Path
    dialect: Dialect
    columns: int
    names: list[str]
    texts: frozenset[str] = frozenset()  # columns that are no numbers, whatever their cells


def read_csv(path: Path, options: ReadOptions) -> pa.Table:
    """Comma-separated cells (RFC 4180); `;` or a tab is taken where the first line has no comma."""
    return whole(path, options, CSV)


def read_tsv(path: Path, options: ReadOptions) -> pa.Table:
    """Tab-separated cells; a double quote is an ordinary character unless `quoting` is asked."""
    return whole(path, options, TSV)


def _csv_parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    delimiter = options.delimiter or _guess_delimiter(path, options)
    return _parts(path, options, _dialect(delimiter, options.quoting is not False), known)


def _tsv_parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    dialect = _dialect(options.delimiter or "\t", options.quoting is True)
    return _parts(path, options, dialect, known)


def _parts(
    path: Path, options: ReadOptions, dialect: Dialect, known: pa.Schema | None
) -> Iterator[Part]:
    cut = partial(last_record_end, dialect=dialect)
    blocks = TextBlocks(path, options, cut, _native.count_line_ends)
    file, rows = _begin(path, options, dialect, blocks)
    first = _typed(rows, known, file.texts)
    seen = first.schema if known is None else known

    def typed(view: memoryview) -> pa.Table | None:
        cells = _parsed(view, file)
        return None if cells is None else _typed(cells, seen, file.texts)

    count = first.num_rows
    yield Part(first, first.num_rows)
    for block, table in blocks.map(typed):
        if table is None:
            table = _typed(_good_cells(block, file, options), seen, file.texts)
        count += table.num_rows
        seen = _widen(seen, table.schema)
        yield Part(table, table.num_rows)
    if not count:
        raise DataError(
            f"{path} holds a header line and no rows: {', '.join(file.names)}",
            allowed="at least one row under the header",
            next_step="headway.read(..., header=False) if this line is a row",
        )


def _begin(
    path: Path, options: ReadOptions, dialect: Dialect, blocks: TextBlocks
) -> tuple[_File, pa.Table]:
    """What the first block with rows says of the file, and its cells without the header."""
    for block in blocks:
        found = records(block.data, block.line, dialect)
        columns = next((one.cells for one in found if not one.fault), 0)
        file = _File(path, dialect, columns, [f"f{i}" for i in range(columns)])
        cells = _parsed(block.view, file) if columns else None
        if cells is None:
            cells = _good_cells(block, file, options)
        if columns:
            names, rows = _header(path, cells, options.header)
            features = (options.features or {}).items()
            texts = frozenset(n for n, one in features if isinstance(one, (Text, Label)))
            return _File(path, dialect, columns, names, texts), rows.rename_columns(names)
    raise DataError(f"{path} holds only blank lines", allowed="at least one row")


def _parsed(data: memoryview, file: _File) -> pa.Table | None:
    """All cells as text, or None where the scanner must say what is wrong."""
    cells = _native.read_cells(
        data, file.dialect.delimiter, quoting=file.dialect.quoting, columns=file.columns
    )
    if cells is None:
        return None
    return pa.Table.from_batches([pa.record_batch(cells)]).rename_columns(file.names)


def _good_cells(block: Block, file: _File, options: ReadOptions) -> pa.Table:
    """The cells of the records that are not bad, after telling of those that are."""
    good = []
    for record in records(block.data, block.line, file.dialect):
        bad = record.bad_row(file.path, block.data, file.columns, file.dialect)
        if bad is None:
            good.append(block.data[record.start : record.end])
        else:
            options.bad_row(bad)
    table = _arrow_cells(b"".join(good), file)
    if table is None or table.num_rows != len(good):
        raise DataError(f"{file.path} from line {block.line} on cannot be read as cells")
    return table


def _arrow_cells(data: bytes, file: _File) -> pa.Table | None:
    """Arrow's reading, which knows quotes in plain cells; None where it is none."""
    import pyarrow.csv as arrow_csv

    texts = dict.fromkeys(file.names, pa.string())
    if not data:
        return pa.schema(texts.items()).empty_table()
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(
                column_names=file.names, block_size=len(data) + 2, use_threads=False
            ),
            arrow_csv.ParseOptions(
                delimiter=file.dialect.delimiter,
                quote_char='"' if file.dialect.quoting else False,
                newlines_in_values=file.dialect.quoting,
            ),
            arrow_csv.ConvertOptions(
                column_types=texts, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _header(path: Path, cells: pa.Table, header: bool | None) -> tuple[list[str], pa.Table]:
    first = [column[0].as_py() for column in cells.columns]
    rows = cells.slice(1)
    if header is None:
        header = _looks_like_header(first, rows)
        log.info("%s: the first line is taken as %s", path, "the header" if header else "a row")
    if not header:
        return [f"column_{i}" for i in range(1, len(first) + 1)], cells
    names = [name.strip() or f"column_{i}" for i, name in enumerate(first, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"{path} line 1: column {', '.join(map(repr, twice))} stands there more than once",
            allowed="every column named once",
            next_step="rename one; or headway.read(..., header=False) if the first line is a row",
        )
    return names, rows


def _looks_like_header(first: list[str], rows: pa.Table) -> bool:
    """Names: short, no numbers, none empty after the first, none found again in its own column.

    `rows` are those of the first block, which is all of a file of less than a megabyte.
    """
    if any(_NUMBER_CELL.fullmatch(cell) or len(cell) > _LONGEST_HEADER_CELL for cell in first):
        return False
    if not all(cell.strip() for cell in first[1:]) or (len(first) == 1 and " " in first[0]):
        return False
    columns = zip(first, rows.columns, strict=True)
    return not any(pc.any(pc.equal(column, cell)).as_py() for cell, column in columns)


def _typed(cells: pa.Table, seen: pa.Schema | None, texts: frozenset[str]) -> pa.Table:
    """Columns as numbers where all cells here are; text stays text where it was text before."""
    columns, fields = [], []
    for name, column in zip(cells.column_names, cells.columns, strict=True):
        before = None if seen is None else _kind(seen.field(name))
        is_text = before == "text" or name in texts
        kind, column = ("text", column) if is_text else _numbers_or_text(column)
        columns.append(column)
        fields.append(pa.field(name, column.type, metadata={KIND: kind}))
    return pa.table(columns, schema=pa.schema(fields))


def _numbers_or_text(column: pa.ChunkedArray) -> tuple[str, pa.ChunkedArray]:
    """(empty, whole, long, decimal or text; the column). `long`: more digits than decimals keep."""
    empty = pc.equal(column, "")
    if not len(column) or pc.all(empty).as_py():
        return EMPTY, column
    for pattern, kind in ((_INTEGER, pa.int64()), (_NUMBER, pa.float64())):
        # One look at a few rows spares most text columns the full pass.
        if _all_match(column.slice(0, 100), pattern) and _all_match(column, pattern):
            try:
                numbers = pc.if_else(empty, pa.scalar(None, pa.string()), column).cast(kind)
            except pa.ArrowInvalid:  # a whole number past 64 bits, whose digits are kept as text
                return "text", column
            if kind == pa.float64():
                return "decimal", numbers
            # 15 digits, and one for the sign
            ends = pc.min_max(numbers).as_py()
            short = ends["min"] > -(10**15) and ends["max"] < 10**15
            return "whole" if short else "long", numbers
    return "text", column


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    matches = pc.or_(pc.equal(column, ""), pc.match_substring_regex(column, pattern))
    return bool(pc.all(matches).as_py())


def _widen(a: pa.Schema, b: pa.Schema) -> pa.Schema:
    """The kinds of cells of two parts together; what fits no kind of number is text."""
    fields = []
    for one, other in zip(a, b, strict=True):
        kinds = {_kind(one), _kind(other)} - {EMPTY}
        if len(kinds) < 2:
            fields.append(one if _kind(one) in kinds or not kinds else other)
            continue
        wider = {frozenset({"whole", "long"}): "long", frozenset({"whole", "decimal"}): "decimal"}
        kind = wider.get(frozenset(kinds), "text")
        fields.append(pa.field(one.name, _TYPES[kind], metadata={KIND: kind}))
    return pa.schema(fields)


def _kind(field: pa.Field) -> str:
    """What cells of a column are; a schema from elsewhere says it by its types."""
    if field.metadata and KIND in field.metadata:
        return str(field.metadata[KIND].decode())
    return {pa.int64(): "long", pa.float64(): "decimal"}.get(field.type, "text")


def _dialect(delimiter: str, quoting: bool) -> Dialect:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ConfigError(
            f"delimiter {delimiter!r} cannot stand between cells",
            allowed="one ASCII character other than a double quote or a line break",
            next_step='delimiter=";" or delimiter="\\t"',
        )
    return Dialect(delimiter, quoting)


def _guess_delimiter(path: Path, options: ReadOptions) -> str:
    head = bytes(next(iter(TextBlocks(path, options))).view[: 1 << 16])
    line = _NEWLINE.split(_QUOTED.sub(b"", head).lstrip(b"\r\n"), maxsplit=1)[0]
    return next((d for d in (",", ";", "\t") if d.encode() in line), ",")


CSV = Parts(_csv_parts, _widen)
TSV = Parts(_tsv_parts, _widen)
