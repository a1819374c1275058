"""One line to read rows: a file, a folder, a pattern of names, or a data set's name on a hub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa

from headway.data.compression import COMPRESSIONS, MAX_EXPANSION, without_compression
from headway.data.dataset import Dataset
from headway.data.formats.columnar import read_arrow, read_parquet
from headway.data.formats.conll import read_conll
from headway.data.formats.delimited import read_csv, read_tsv
from headway.data.formats.folder import class_folders, read_folder
from headway.data.formats.records import read_json, read_jsonl, read_squad
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.formats.text import read_labelled_lines, read_text
from headway.data.layout import SPLIT_NAMES, by_split, visible
from headway.errors import ConfigError, DataError, nearest
from headway.logs import log

__all__ = ["FORMATS", "read"]


@dataclass(frozen=True, slots=True)
class Format:
    """How one way of writing rows is read.

    read: a path and options in, a table out.
    suffixes: file names that mean this format.
    options: the options that it knows.
    """

    read: Callable[[Path, ReadOptions], pa.Table]
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


_TEXT = ("encoding", "max_expansion")
_CELLS = (*_TEXT, "header", "delimiter", "quoting")

FORMATS: dict[str, Format] = {
    "csv": Format(read_csv, (".csv",), _CELLS),
    "tsv": Format(read_tsv, (".tsv", ".tab"), _CELLS),
    "jsonl": Format(read_jsonl, (".jsonl", ".ndjson"), _TEXT),
    "json": Format(read_json, (".json",), (*_TEXT, "field")),
    "squad": Format(read_squad, (), _TEXT),
    "txt": Format(read_text, (".txt",), _TEXT),
    "labelled-lines": Format(read_labelled_lines, (".label",), _TEXT),
    "conll": Format(read_conll, (".conll", ".conllu", ".bio", ".iob", ".iob2"), _TEXT),
    "parquet": Format(read_parquet, (".parquet", ".pq")),
    "arrow": Format(read_arrow, (".arrow", ".feather", ".ipc")),
    "folder": Format(read_folder, (), _TEXT),
}
_BY_SUFFIX = {suffix: name for name, one in FORMATS.items() for suffix in one.suffixes}


def read(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool | None = None,
    delimiter: str | None = None,
    quoting: bool | None = None,
    field: str | None = None,
    max_expansion: float = MAX_EXPANSION,
) -> Dataset | dict[str, Dataset]:
    """One data set; or a dict with train, validation and test, where the names of files say so.

    - A file is one data set. Its suffix says the format.
    - A folder or a pattern such as `"news-*.csv"` is read by the names in it: files or subfolders
      called train, valid, val, dev, validation or test become splits, and several files of one
      split follow each other in the order of their names. Where no name says a split, all files
      are one data set.
    - A folder of class folders, `<label>/<file>.txt`, has columns text, label and file; it may
      stand inside `train/` and `test/`.
    - A file of text may be compressed: `news.jsonl.gz`, and so with .bz2, .xz and .zst.
    - `pkg:NAME` and `hf://datasets/ORG/NAME` are data sets that `headway.hub` has on this machine.

    Nothing in the files is ever executed, and no format here can hold code.

    Args:
        path: a file, a folder, a pattern or a name.
        format: csv, tsv, jsonl, json, squad, txt (a line is a row), labelled-lines (the first word
            of a line is its label), conll, parquet, arrow or folder, where the name does not say.
        encoding: any text codec of Python; `latin-1` takes every byte.
        header: csv and tsv: whether the first line names the columns. By default that is guessed
            from its cells; without a header the columns are column_1, column_2, ...
        delimiter: csv and tsv: what stands between cells.
        quoting: csv and tsv: whether cells may stand in double quotes; csv yes, tsv no.
        field: json: which list of the object holds the rows.
        max_expansion: how many times larger than a compressed file its contents may be, which
            stops a small file that would fill the memory; 16 MB are always allowed.

    Raises:
        DataError: a missing, empty or broken file, with the line and what to do.
        ConfigError: an unknown format, or an option that the format does not have.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,delivery\\n")
    ...     read(file)[0]
    {'text': 'where is it?', 'label': 'delivery'}
    """
    if format is not None and format not in FORMATS:
        hint = nearest(format, FORMATS)
        raise ConfigError(
            f"no format {format!r}" + (f" ({hint})" if hint else ""), allowed=", ".join(FORMATS)
        )
    if not max_expansion > 0:
        raise ConfigError(f"max_expansion={max_expansion!r}", allowed="a number above 0")
    options = ReadOptions(encoding, header, delimiter, quoting, field, max_expansion)
    name = os.fspath(path)
    if name.startswith(("pkg:", "hf://")):
        # A plain file needs nothing of the hub.
        from headway.hub import resolve_data

        return _read_any(Path(resolve_data(name)), format, options, name)
    if "://" in name or not name or "\0" in name:
        raise DataError(
            f"{name!r} is no place on this machine",
            allowed="a file or folder on this machine, pkg:NAME or hf://datasets/ORG/NAME",
            next_step="give a path; download what lies elsewhere first",
        )
    try:
        return _read_any(Path(path), format, options, name)
    except OSError as error:
        raise unreadable(Path(path), error) from error


def _read_any(
    path: Path, format: str | None, options: ReadOptions, name: str
) -> Dataset | dict[str, Dataset]:
    if path.is_dir():
        return _read_folder(path, format, options, name)
    if path.exists():
        return _read_file(path, format, options, name)
    if any(character in str(path) for character in "*?["):
        return _read_files(_matching(path), format, options, name)
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = nearest(path.name, beside)
    raise DataError(
        f"no file or folder {path}" + (f" ({hint})" if hint else ""),
        next_step="check the path",
    )


def _matching(pattern: Path) -> list[Path]:
    """The files whose paths match a pattern, sorted."""
    try:
        found = Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))
        files = [file for file in visible(found) if file.is_file()]
    except ValueError as error:
        raise DataError(f"{pattern} is no pattern: {error}", allowed="such as data/*.csv") from None
    if not files:
        raise DataError(f"no file matches {pattern}", next_step="check the pattern")
    return files


def _format_of(path: Path) -> str | None:
    return _BY_SUFFIX.get(without_compression(path).suffix.lower())


def _read_file(path: Path, format: str | None, options: ReadOptions, name: str) -> Dataset:
    chosen = format or _format_of(path)
    if chosen is None:
        raise DataError(
            f"{path}: the suffix {without_compression(path).suffix!r} says no format",
            allowed=", ".join(_BY_SUFFIX) + f", and of text compressed: {', '.join(COMPRESSIONS)}",
            next_step=f"format=NAME (--format NAME), one of {', '.join(FORMATS)}",
        )
    if chosen == "folder":
        raise DataError(f"{path} is a file", allowed="a folder of class folders for this format")
    if path.suffix.lower() in COMPRESSIONS and "max_expansion" not in FORMATS[chosen].options:
        raise DataError(
            f"{path}: {chosen} files are compressed inside, not as a whole",
            allowed=f"formats of text with {', '.join(COMPRESSIONS)}",
            next_step="unpack it and read the file inside",
        )
    _refuse_other_options(chosen, options)
    return Dataset(FORMATS[chosen].read(path, options), name=name)


def _refuse_other_options(format: str, options: ReadOptions) -> None:
    for option in fields(ReadOptions):
        given = getattr(options, option.name) != option.default
        if given and option.name not in FORMATS[format].options:
            raise ConfigError(
                f"{option.name}={getattr(options, option.name)!r} means nothing for {format}",
                allowed=", ".join(FORMATS[format].options) or "no options",
                next_step="leave it out, or name another format",
            )


def _read_folder(
    path: Path, format: str | None, options: ReadOptions, name: str
) -> Dataset | dict[str, Dataset]:
    inside = visible(path.iterdir())
    folders = [one for one in inside if one.is_dir()]
    named = {one: SPLIT_NAMES.get(one.name.casefold()) for one in folders}
    splits: dict[str, Dataset] = {}
    for folder, split in named.items():
        if split in splits:
            raise DataError(f"{path} has two folders for {split}", next_step="rename one")
        if split is not None:
            splits[split] = _read_split_folder(folder, format, options, f"{name}/{folder.name}")
    if splits:
        return {
            split: splits[split] for split in ("train", "validation", "test") if split in splits
        }
    if _holds_classes(path, inside, format, least=2):
        return _read_classes(path, options, name)
    files = _readable(inside, format)
    if files:
        return _read_files(files, format, options, name)
    inner = [folder for folder in folders if any(_readable(folder.rglob("*"), None))]
    if len(inner) == 1:
        return _read_folder(inner[0], format, options, name)
    if inner:
        raise DataError(
            f"{path} holds several folders of rows: {', '.join(one.name for one in inner)}",
            allowed="one data set",
            next_step=f"name one of them, such as {inner[0]}",
        )
    raise _nothing_to_read(path)


def _read_split_folder(path: Path, format: str | None, options: ReadOptions, name: str) -> Dataset:
    """Everything in a folder that is a split by its own name, whatever its files are called."""
    inside = visible(path.iterdir())
    if _holds_classes(path, inside, format, least=1):
        return _read_classes(path, options, name)
    files = _readable(inside, format)
    if not files:
        raise _nothing_to_read(path)
    return _read_together(files, format, options, name)


def _holds_classes(path: Path, inside: list[Path], format: str | None, *, least: int) -> bool:
    """Class folders win over loose .txt files, which are notes, but not over other rows."""
    if format is not None:
        return format == "folder"
    rows = any(_format_of(one) != "txt" for one in _readable(inside, None))
    return not rows and len(class_folders(path)) >= least


def _read_classes(path: Path, options: ReadOptions, name: str) -> Dataset:
    _refuse_other_options("folder", options)
    return Dataset(read_folder(path, options), name=name)


def _readable(inside: Iterable[Path], format: str | None) -> list[Path]:
    """The files with a suffix of the format; all files, if none has one and a format is named."""
    files = [one for one in inside if one.is_file()]
    suffixes = FORMATS[format].suffixes if format is not None else tuple(_BY_SUFFIX)
    found = [one for one in files if without_compression(one).suffix.lower() in suffixes]
    return found or (files if format is not None else [])


def _read_files(
    files: list[Path], format: str | None, options: ReadOptions, name: str
) -> Dataset | dict[str, Dataset]:
    splits: dict[str, Dataset] = {}
    for split, group in by_split(files, where=name).items():
        if split is None:
            return _read_together(group, format, options, name)
        splits[split] = _read_together(group, format, options, f"{name} ({split})")
    return splits


def _read_together(
    files: list[Path], format: str | None, options: ReadOptions, name: str
) -> Dataset:
    """Files that make one data set, in the order given."""
    formats = {format or _format_of(file) for file in files}
    if len(formats) > 1:
        raise DataError(
            f"{name}: files of several formats make one data set: "
            + ", ".join(file.name for file in files),
            allowed="files of one format, or names that say train, validation and test",
            next_step="format=NAME (--format NAME), or name one file",
        )
    parts = [_read_file(file, format, options, str(file)) for file in files]
    if len(parts) > 1:
        log.info("%s: %d files one after the other", name, len(parts))
    whole = parts[0].concatenate(*parts[1:])
    return Dataset(whole.to_arrow(), name=name)


def _nothing_to_read(path: Path) -> DataError:
    return DataError(
        f"{path} holds nothing to read",
        allowed=f"files with {', '.join(_BY_SUFFIX)}, or class folders with .txt files",
        next_step="format=NAME (--format NAME) if the files are called otherwise",
    )
