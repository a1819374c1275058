"""The files of a data set cut into stretches, each of which is read alone and makes one shard.

Where the cuts are is decided by the files and the size asked for, never by who reads them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from headway.data.formats.columnar import record_batches, row_group_bytes
from headway.data.formats.parts import Part, lines_in
from headway.data.formats.source import ReadOptions, Stretch, is_utf8
from headway.data.reading.compression import COMPRESSIONS
from headway.data.reading.files import FORMATS, chosen_format, readable
from headway.data.reading.layout import by_split, refuse_missing_shards, visible
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


def input_files(path: str | Path, format: str | None) -> list[Path]:
    """The files of one data set, in the order in which `read` puts them under each other.

    Raises:
        DataError: no such file, nothing to read, several splits, or a shard that is missing.
    """
    name = os.fspath(path)
    if name.startswith(("pkg:", "hf://")):
        from headway.hub import resolve_data  # a plain file needs nothing of the hub

        path = resolve_data(name)
    path = Path(path)
    if path.is_file():
        return [path.absolute()]
    if path.is_dir():
        files = readable(visible(path.iterdir()), format)
        refuse_missing_shards(files)
    else:
        files = _matching(path)
    if not files:
        raise DataError(
            f"{path} holds no files of rows",
            allowed="a file, a folder of files, or a pattern such as corpus/*.jsonl.gz",
            next_step="check the path",
        )
    splits = by_split(files, where=name)
    if len(splits) > 1:
        raise DataError(
            f"{path} holds several splits: {', '.join(map(str, splits))}",
            allowed="the files of one",
            next_step=f"a pattern of their names, such as {path / 'train*'}",
        )
    (found,) = splits.values()
    return [file.absolute() for file in found]


def _matching(pattern: Path) -> list[Path]:
    if not any(character in str(pattern) for character in "*?["):
        raise DataError(f"no file or folder {pattern}", next_step="check the path")
    try:
        found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        return [file for file in visible(found) if file.is_file()]
    except ValueError as error:
        raise DataError(f"{pattern} is no pattern: {error}", allowed="such as data/*.csv") from None


def inputs_of(
    files: Sequence[Path], format: str | None, options: ReadOptions, size: int
) -> list[Input]:
    """The stretches of all files, in order.

    Args:
        files: those of one data set.
        format: as in `read`.
        options: the other options of `read`.
        size: about how many bytes a stretch has.

    Raises:
        DataError: files of several formats, or one that is not whole.
        ConfigError: an option that the format does not have.
    """
    formats = [chosen_format(file, format, options) for file in files]
    if len(set(formats)) > 1:
        raise DataError(
            f"files of several formats make one data set: {', '.join(sorted(set(formats)))}",
            allowed="files of one format",
            next_step="a pattern of their names, such as corpus/*.jsonl",
        )
    return [
        Input(file, formats[0], number, file.stat().st_size, stretch)
        for number, file in enumerate(files)
        for stretch in _stretches(file, formats[0], options, size)
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
            before += lines_in(text.read(min(_READ, cut.start - text.tell())))
    return replace(cut, line=before + 1)
