"""The formats, and one file of each: which format it is, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.features import apply_features
from headway.data.formats.columnar import ARROW, PARQUET, read_arrow, read_parquet
from headway.data.formats.compression import COMPRESSIONS, without_compression
from headway.data.formats.conll import read_conll
from headway.data.formats.delimited import CSV, TSV, read_csv, read_tsv
from headway.data.formats.folder import FOLDER, read_folder
from headway.data.formats.lines import JSON_LINES, read_jsonl
from headway.data.formats.marked import read_marked
from headway.data.formats.parallel import read_parallel
from headway.data.formats.parts import Parts
from headway.data.formats.records import read_json, read_squad
from headway.data.formats.source import ReadOptions
from headway.data.formats.text import LINES, read_labelled_lines, read_text
from headway.data.formats.xml import read_xml
from headway.errors import ConfigError, DataError

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "chosen_format",
    "format_of",
    "readable",
    "refuse_other",
    "rows_of",
]


@dataclass(frozen=True, slots=True)
class Format:
    """How one way of writing rows is read.

    read: a path and options in, a table out.
    suffixes: file names that mean this format.
    options: the options that it knows.
    parts: how it is read in parts, where it is.
    """

    read: Callable[[Path, ReadOptions], pa.Table]
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    parts: Parts | None = None


_ALL = ("features", "bad_row", "stretch")
_TEXT = ("encoding", "max_expansion")
_CELLS = (*_TEXT, "header", "delimiter", "quoting")

FORMATS: dict[str, Format] = {
    "csv": Format(read_csv, (".csv",), _CELLS, CSV),
    "tsv": Format(read_tsv, (".tsv", ".tab"), _CELLS, TSV),
    "jsonl": Format(read_jsonl, (".jsonl", ".ndjson"), _TEXT, JSON_LINES),
    "json": Format(read_json, (".json",), (*_TEXT, "field")),
    "squad": Format(read_squad, (), _TEXT),
    "txt": Format(read_text, (".txt",), (*_TEXT, "sample_by"), LINES),
    "labelled-lines": Format(read_labelled_lines, (".label",), _TEXT),
    "marked": Format(read_marked, (), _TEXT),
    "conll": Format(read_conll, (".conll", ".conllu", ".bio", ".iob", ".iob2"), _TEXT),
    "xml": Format(read_xml, (".xml",), (*_TEXT, "recipe")),
    "parallel": Format(read_parallel, (), (*_TEXT, "recipe")),
    "parquet": Format(read_parquet, (".parquet", ".pq"), ("max_expansion",), PARQUET),
    "arrow": Format(read_arrow, (".arrow", ".feather", ".ipc"), (), ARROW),
    "folder": Format(read_folder, (), _TEXT, FOLDER),
}
SUFFIXES = {suffix: name for name, one in FORMATS.items() for suffix in one.suffixes}
# Suffixes of files that are rows wherever they lie; XML is rows only where a recipe says so.
_ROWS = tuple(s for s, name in SUFFIXES.items() if "recipe" not in FORMATS[name].options)


def format_of(path: Path) -> str | None:
    """The format that the name of a file says."""
    return SUFFIXES.get(without_compression(path).suffix.lower())


def readable(inside: Iterable[Path], format: str | None) -> list[Path]:
    """The files with a suffix of the format; all files, if none has one and a format is named."""
    files = [one for one in inside if one.is_file()]
    suffixes = FORMATS[format].suffixes if format is not None else _ROWS
    found = [one for one in files if without_compression(one).suffix.lower() in suffixes]
    return found or (files if format is not None else [])


def rows_of(path: Path, table: pa.Table, options: ReadOptions, name: str) -> Dataset:
    """What was read of a path, with the features that were asked for."""
    if options.features:
        table = apply_features(table, options.features, file=str(path), bad_row=options.bad_row)
    if not table.num_rows:
        raise DataError(f"{path}: not one row of it can be read", allowed="at least one row")
    return Dataset(table, name=name)


def chosen_format(path: Path, format: str | None, options: ReadOptions) -> str:
    """The format that is asked for, or that the name says, if it can be that of a file."""
    chosen = format or format_of(path)
    if chosen is None:
        raise DataError(
            f"{path}: the suffix {without_compression(path).suffix!r} says no format",
            allowed=", ".join(SUFFIXES) + f", and of text compressed: {', '.join(COMPRESSIONS)}",
            next_step=f"format=NAME (--format NAME), one of {', '.join(FORMATS)}",
        )
    if chosen in ("folder", "parallel"):
        what = "class folders" if chosen == "folder" else "parallel files"
        raise DataError(f"{path} is a file", allowed=f"a folder of {what} for this format")
    if path.suffix.lower() in COMPRESSIONS and "encoding" not in FORMATS[chosen].options:
        raise DataError(
            f"{path}: {chosen} files are compressed inside, not as a whole",
            allowed=f"formats of text with {', '.join(COMPRESSIONS)}",
            next_step="unpack it and read the file inside",
        )
    refuse_other(chosen, options)
    return chosen


def refuse_other(format: str, options: ReadOptions) -> None:
    """Raises ConfigError for an option that means nothing for the format."""
    for option in fields(ReadOptions):
        given = getattr(options, option.name) != option.default
        if given and option.name not in (*FORMATS[format].options, *_ALL):
            raise ConfigError(
                f"{option.name}={getattr(options, option.name)!r} means nothing for {format}",
                allowed=", ".join(FORMATS[format].options) or "no options",
                next_step="leave it out, or name another format",
            )
