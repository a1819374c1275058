"""The files of a data set cut into stretches, each of which is read alone and makes one shard.

Where the cuts are is decided by the files and the size asked for, never by who reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from headway.data import _native
from headway.data.formats.columnar import record_batches, row_group_bytes
from headway.data.formats.compression import COMPRESSIONS
from headway.data.formats.parts import Part
from headway.data.formats.source import ReadOptions, Stretch, is_utf8
from headway.data.reading.files import FORMATS
from headway.data.reading.find import Place, find_sources
from headway.data.reading.sources import Piece, Source
from headway.errors import DataError

__all__ = ["CUTS", "Input", "input_files", "inputs_of", "numbered", "parts_of"]

_READ = 1 << 16


@dataclass(frozen=True, slots=True)
class Input:
    """What one shard is made of.

    Attributes:
        path: a file.
        format: how it is written.
        file: its number among the files.
        bytes: its size when the plan was made.
        stretch: the part of it, or None for all of it.
    """

    path: Path
    format: str
    file: int
    bytes: int
    stretch: Stretch | None

    def __str__(self) -> str:
        if self.stretch is None:
            return str(self.path)
        unit = {"parquet": "row groups", "arrow": "record batches"}.get(self.format, "bytes")
        return f"{self.path}, {unit} {self.stretch.start} to {self.stretch.stop}"


def input_files(place: Place, format: str | None, options: ReadOptions) -> list[Piece]:
    """The files of one data set, in the order in which `read` puts them under each other.

    Raises:
        DataError: no such file, nothing to read, several splits, or rows that several files make.
        ConfigError: an option that the format does not have.
    """
    found = find_sources(place, format, options)
    if not isinstance(found, Source):
        raise DataError(
            f"{place} holds several splits: {', '.join(found)}",
            allowed="the files of one",
            next_step="a pattern of their names, such as data/train*",
        )
    for piece in found.pieces:
        if piece.files != (piece.path,):
            raise DataError(
                f"{piece.name} is made of {len(piece.files)} files together",
                allowed="rows that lie in one file each",
                next_step="headway.data.write_arrow() makes a file of them",
            )
    return [replace(piece, path=piece.path.absolute()) for piece in found.pieces]


def inputs_of(pieces: Sequence[Piece], options: ReadOptions, size: int) -> list[Input]:
    """The stretches of all files, in order.

    Args:
        pieces: the files of one data set.
        options: how they are read.
        size: about how many bytes a stretch has.

    Raises:
        DataError: a file that is not whole.
    """
    return [
        Input(piece.path, piece.format, number, piece.path.stat().st_size, stretch)
        for number, piece in enumerate(pieces)
        for stretch in _stretches(piece.path, piece.format, options, size)
    ]


def _stretches(
    file: Path, format: str, options: ReadOptions, size: int
) -> Sequence[Stretch | None]:
    """The stretches of a file; all of it, where its format is read from the beginning only."""
    by_line = options.sample_by in (None, "line") and is_utf8(options.encoding)
    if format not in CUTS or not by_line or file.suffix.lower() in COMPRESSIONS:
        return [None]
    found = CUTS[format](file, size)
    return found if len(found) > 1 else [None]


def _at_lines(file: Path, size: int) -> list[Stretch]:
    """A line belongs to the stretch that its first byte lies in."""
    total = file.stat().st_size
    borders = [0]
    with file.open("rb") as text:
        for place in range(size, total, size):
            if place <= borders[-1]:  # one line is longer than a stretch
                continue
            text.seek(place - 1)
            while block := text.read(_READ):
                if (end := block.find(b"\n")) >= 0:
                    borders.append(text.tell() - len(block) + end + 1)
                    break
            else:
                break  # the last line goes on to the end
    if borders[-1] < total:
        borders.append(total)
    return [Stretch(start, stop) for start, stop in pairwise(borders)]


def _at_row_groups(file: Path, size: int) -> list[Stretch]:
    borders, held = [0], 0
    groups = row_group_bytes(file)
    for number, bytes_ in enumerate(groups):
        if held and held + bytes_ > size:
            borders.append(number)
            held = 0
        held += bytes_
    return [Stretch(start, stop) for start, stop in pairwise([*borders, len(groups)])]


def _at_batches(file: Path, size: int) -> list[Stretch]:
    """As many batches each as make about the size, if they are all alike: none is looked at."""
    batches = record_batches(file)
    each = max(1, batches * size // max(1, file.stat().st_size))
    starts = range(0, batches, each)
    return [Stretch(start, min(start + each, batches)) for start in starts]


CUTS: dict[str, Callable[[Path, int], list[Stretch]]] = {
    "jsonl": _at_lines,
    "txt": _at_lines,
    "parquet": _at_row_groups,
    "arrow": _at_batches,
}
"""Formats that can be entered in the middle -> where their stretches are."""


def parts_of(given: Input, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    """The rows of a stretch in parts, with the types that these have by themselves.

    Args:
        given: the stretch.
        options: how it is read.
        known: types that are known, or None.

    Raises:
        DataError: what `read` refuses.
    """
    chosen = FORMATS[given.format]
    if chosen.parts is not None and options.sample_by in (None, "line"):
        yield from chosen.parts.read(given.path, options, known)
        return
    table = chosen.read(given.path, options)
    yield Part(table, table.num_rows)


def numbered(given: Input) -> Stretch | None:
    """The stretch with the number of the line that it begins on, which takes reading up to it."""
    cut = given.stretch
    if cut is None or given.format not in ("jsonl", "txt"):
        return cut
    before = 0
    with given.path.open("rb") as text:
        while text.tell() < cut.start:
            before += _native.count_feeds(text.read(min(_READ, cut.start - text.tell())))
    return replace(cut, line=before + 1)
