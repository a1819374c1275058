"""The rows of a source in parts, with types that hold for all of them.

Each piece has types of its own, as `read` gives them; features are applied to those, and what comes
is put under one another as `together` does it.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.features import apply_features
from headway.data.formats.parts import EMPTY, KIND, Part, Parts, conform, plain
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.sources import Piece, Source
from headway.data.reading.together import together
from headway.data.tables import is_text, stacked
from headway.errors import DataError

__all__ = ["FirstGuess", "Types", "find_types", "settled_tables", "tables_of_piece", "types_of"]


@dataclass(frozen=True, slots=True)
class Types:
    """Names and types of all rows.

    pieces: of each piece, before features.
    rows: of all together.
    """

    pieces: tuple[pa.Schema, ...]
    rows: pa.Schema


def types_of(source: Source, pieces: Sequence[pa.Schema], options: ReadOptions) -> Types:
    """What the types of the pieces make together, as `read` has it.

    Raises:
        DataError: columns or types that do not go together, by piece and column.
    """
    known = _Known(options)
    for piece, schema in zip(source.pieces, pieces, strict=True):
        known.add(piece, schema)
    return Types(tuple(pieces), known.rows())


class _Known:
    """The types of some pieces together."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._rows: Dataset | None = None
        self._empty: set[str] = set()  # columns in which no file had anything but empty cells

    def add(self, piece: Piece, schema: pa.Schema) -> None:
        """Another piece, by the types that its reader gives."""
        table = _featured(plain(schema).empty_table(), piece, self._options)
        empty = _empty_columns(schema, self._options)
        if self._rows is None:
            self._rows, self._empty = Dataset(table, name=piece.name), empty
            return
        rows = self._rows.to_arrow()
        # Empty cells are text beside text, and missing numbers beside numbers.
        rows = _untyped(rows, [n for n in self._empty if n not in empty and not _texts(table, n)])
        table = _untyped(table, [n for n in empty if n not in self._empty and not _texts(rows, n)])
        self._empty &= empty
        parts = [Dataset(rows, name=self._rows.name), Dataset(table, name=piece.name)]
        self._rows = together(parts, name=self._rows.name)

    def rows(self) -> pa.Schema:
        """The types of all."""
        assert self._rows is not None
        return self._rows.to_arrow().schema


def _empty_columns(schema: pa.Schema, options: ReadOptions) -> set[str]:
    """Columns of cells that are all empty, unless a feature says what they are."""
    told = options.features or {}
    said = {field.name for field in schema if (field.metadata or {}).get(KIND) == EMPTY.encode()}
    return said - set(told)


def _texts(table: pa.Table, name: str) -> bool:
    return name not in table.column_names or is_text(table.schema.field(name).type)


def _untyped(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """Columns without a value in the place of some."""
    for name in names:
        if name in table.column_names:
            place = table.column_names.index(name)
            table = table.set_column(place, name, pa.nulls(len(table)))
    return table


def find_types(source: Source, options: ReadOptions) -> Types:
    """The types of all rows, each of which is looked at.

    Raises:
        DataError: what `read` refuses, but for values that are not what a feature allows.
    """
    found: list[pa.Schema] = []
    for piece in source.pieces:
        parts = piece.parts(options)
        schema, rows = None, 0
        for part in _read(piece, parts, options, None):
            schema = _widened(parts, schema, part)
            rows += part.rows
        found.append(_of_rows(piece, schema, rows))
    return types_of(source, found, options)


def settled_tables(
    source: Source, types: Types, options: ReadOptions, *, reading: ReadOptions
) -> Iterator[pa.Table]:
    """All rows with the types that are known.

    Args:
        source: of the rows.
        types: of them.
        options: with the features, and what is told of values that they refuse.
        reading: the same, with what is told of rows that a reader leaves out; nothing, if they
            were counted when the types were found.

    Raises:
        DataError: rows of other types, or a value that is not what a feature allows.
    """
    for piece, known in zip(source.pieces, types.pieces, strict=True):
        before = kept = 0
        for read in tables_of_piece(piece, known, reading):
            empty = _empty_columns(known, options)
            table = _under(_featured(read, piece, options, before), types.rows, empty)
            if table is None:
                raise _other_types(piece, read.schema, known)
            before += read.num_rows
            kept += table.num_rows
            yield table
        _refuse_none(piece, kept)


def tables_of_piece(piece: Piece, known: pa.Schema, options: ReadOptions) -> Iterator[pa.Table]:
    """The rows of a piece with the types that are known, without features.

    Raises:
        DataError: what `read` refuses, or rows of other types.
    """
    parts = piece.parts(options)
    for part in _read(piece, parts, options, known):
        fitting = plain(_widened(parts, known, part)) == plain(known)
        table = conform(part, known, piece.path) if fitting else None
        if table is None:
            raise _other_types(piece, part.table.schema, known)
        yield table


class FirstGuess:
    """All rows with the types of the first of them, as long as these fit.

    Attributes:
        fits: whether they have fitted so far. Where they do not, the rest is only looked at.
        types: of all rows, once all were looked at.
    """

    def __init__(self, source: Source, options: ReadOptions) -> None:
        self.fits = True
        self.types: Types | None = None
        self._source, self._options = source, options
        self._rows: pa.Schema | None = None

    def tables(self) -> Iterator[pa.Table]:
        """The rows, until `fits` is no longer true.

        Raises:
            DataError: what `read` refuses.
        """
        found: list[pa.Schema] = []
        known = _Known(self._options)
        for piece in self._source.pieces:
            found.append((yield from self._piece(piece)))
            known.add(piece, found[-1])
        self.types = Types(tuple(found), known.rows())
        self.fits = self.fits and self.types.rows == self._rows

    def _piece(self, piece: Piece) -> Generator[pa.Table, None, pa.Schema]:
        parts = piece.parts(self._options)
        start = schema = None
        before, kept = 0, 0
        for part in _read(piece, parts, self._options, None):
            schema = _widened(parts, schema, part)
            start = start if start is not None else schema
            self.fits = self.fits and plain(schema) == plain(start)
            table = conform(part, start, piece.path) if self.fits else None
            if table is not None:
                table = self._with_features(table, piece, before)
            if table is not None:
                self._rows = table.schema if self._rows is None else self._rows
                table = _under(table, self._rows, ())
            self.fits = table is not None
            before += part.rows
            if table is not None:
                kept += table.num_rows
                yield table
        schema = _of_rows(piece, schema, before)
        if self.fits:
            _refuse_none(piece, kept)
        return schema

    def _with_features(self, table: pa.Table, piece: Piece, before: int) -> pa.Table | None:
        """With features; None where a column has no type yet, and may take them once it has."""
        try:
            return _featured(table, piece, self._options, before)
        except DataError:
            if any("null" in str(kind) for kind in table.schema.types):
                return None
            raise


def _read(
    piece: Piece, parts: Parts, options: ReadOptions, known: pa.Schema | None
) -> Iterator[Part]:
    """The parts, where a failure to read is told from one to write."""
    try:
        yield from parts.read(piece.path, options, known)
    except OSError as error:
        raise unreadable(piece.path, error) from error


def _widened(parts: Parts, schema: pa.Schema | None, part: Part) -> pa.Schema:
    if schema is None:
        return part.table.schema
    try:
        return parts.widen(schema, part.table.schema)
    except (pa.ArrowException, ValueError):  # nothing is both
        return part.table.schema


def _featured(table: pa.Table, piece: Piece, options: ReadOptions, before: int = 0) -> pa.Table:
    if not options.features:
        return table
    return apply_features(
        table, options.features, file=str(piece.path), bad_row=options.bad_row, before=before
    )


def _under(table: pa.Table, rows: pa.Schema, empty: Collection[str]) -> pa.Table | None:
    """The table under others of these types, or None where it has more in it.

    empty: columns of empty cells, which are missing values beside anything but text.
    """
    if set(table.column_names) != set(rows.names):
        return None
    table = _untyped(
        table.select(rows.names), [n for n in empty if not is_text(rows.field(n).type)]
    )
    if table.schema == rows:
        return table
    try:
        made = stacked([rows.empty_table(), table])
    except DataError:
        return None
    return made if made.schema == rows else None


def _of_rows(piece: Piece, schema: pa.Schema | None, rows: int) -> pa.Schema:
    if schema is None or not len(schema) or not rows:
        raise DataError(f"{piece.path} holds no rows", allowed="at least one row with one column")
    return schema


def _refuse_none(piece: Piece, kept: int) -> None:
    if not kept:
        raise DataError(f"{piece.path}: not one row of it can be read", allowed="at least one row")


def _other_types(piece: Piece, schema: pa.Schema, known: pa.Schema) -> DataError:
    here = ", ".join(f"{one.name}: {one.type}" for one in schema)
    return DataError(
        f"{piece.path} holds rows of other types than those given: {here}",
        allowed=", ".join(f"{one.name}: {one.type}" for one in known),
        next_step="leave the schema out to have it found",
    )
