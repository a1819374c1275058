"""What a path means, before a row is read: the files of each data set, in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from headway.data import compute as pc
from headway.data.dataset import Dataset
from headway.data.features import is_number
from headway.data.formats.parallel import read_lines_together
from headway.data.formats.parts import Part, Parts
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.files import FORMATS, rows_of
from headway.data.reading.together import together
from headway.data.tables import is_text
from headway.errors import DataError
from headway.logs import log

__all__ = ["Piece", "Source", "joined", "read_source", "table_of_piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that lie together: a file, the class folders of a folder, or parallel files.

    path: the file or folder, for messages.
    format: key of FORMATS.
    files: all files whose bytes the rows come from, in the order in which they are read.
    columns: parallel: the column of each file.
    key: parallel: what the stars of the patterns stand for.
    """

    path: Path
    format: str
    files: tuple[Path, ...]
    columns: tuple[str, ...] = ()
    key: str = ""

    @property
    def name(self) -> str:
        """For messages about several pieces."""
        return f"{self.path}, * = {self.key}" if self.columns else str(self.path)

    def parts(self, options: ReadOptions) -> Parts:
        """How the rows are read in parts: all in one, where the format has none."""
        found = FORMATS[self.format].parts
        if found is not None and options.sample_by in (None, "line"):
            return found

        def whole(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
            table = table_of_piece(self, options)
            yield Part(table, table.num_rows)

        return Parts(whole, lambda a, b: a)


@dataclass(frozen=True, slots=True)
class Source:
    """One data set, before it is read.

    name: as the user calls it.
    pieces: they follow each other, and have the same columns.
    """

    name: str
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file.stat().st_size for piece in self.pieces for file in piece.files)


def table_of_piece(piece: Piece, options: ReadOptions) -> pa.Table:
    """The rows of a piece as its format gives them, without features."""
    if piece.columns:
        return read_lines_together(dict(zip(piece.columns, piece.files, strict=True)), options)
    return FORMATS[piece.format].read(piece.path, options)


def read_source(source: Source, options: ReadOptions) -> Dataset:
    """The rows of all pieces, one after the other.

    Raises:
        DataError: a piece that cannot be read, or pieces whose columns differ.
    """
    if len(source.pieces) > 1:
        log.info("%s: %d files one after the other", source.name, len(source.pieces))
    parts = [_rows(piece, options) for piece in source.pieces]
    if len(parts) > 1 and source.pieces[0].format in ("csv", "tsv"):
        parts = _without_empty_texts(parts)
    return together(parts, name=source.name)


def _without_empty_texts(parts: Sequence[Dataset]) -> list[Dataset]:
    """Columns of empty cells only are text; where other files have numbers, they are missing ones.

    So is it within one file, whose parts know what was no cell.
    """
    numbers = {
        field.name for part in parts for field in part.to_arrow().schema if is_number(field.type)
    }
    made = []
    for part in parts:
        table = part.to_arrow()
        for place, field in enumerate(table.schema):
            if field.name in numbers and is_text(field.type) and not _any_text(table.column(place)):
                table = table.set_column(place, field.name, pa.nulls(len(table)))
        made.append(Dataset(table, name=part.name))
    return made


def _any_text(column: pa.ChunkedArray) -> bool:
    """Whether a column of texts has one that is not empty."""
    return bool(pc.any(pc.not_equal(column, "")).as_py())


def _rows(piece: Piece, options: ReadOptions) -> Dataset:
    try:
        table = table_of_piece(piece, options)
    except OSError as error:
        raise unreadable(piece.path, error) from error
    return rows_of(piece.path, table, options, piece.name)


def joined(sources: Sequence[Source], name: str) -> Source:
    """Several sources as one.

    Raises:
        DataError: files of several formats.
    """
    pieces = tuple(piece for source in sources for piece in source.pieces)
    if len({piece.format for piece in pieces}) > 1:
        raise DataError(
            f"{name}: files of several formats make one data set: "
            + ", ".join(piece.path.name for piece in pieces),
            allowed="files of one format, or names that say train, validation and test",
            next_step="format=NAME (--format NAME), or name one file",
        )
    return Source(name, pieces)
