"""One line to read rows: a file, a folder, a pattern of names, or a data set's name on a hub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.data.dataset import Dataset
from headway.data.features import Feature
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.badrows import BadRows, refuse_row
from headway.data.reading.compression import MAX_EXPANSION
from headway.data.reading.files import FORMATS, read_file
from headway.data.reading.folders import read_folder, read_split_files
from headway.data.reading.layout import visible
from headway.data.reading.recipes import Recipe, load_recipe
from headway.errors import ConfigError, DataError, nearest
from headway.logs import log

__all__ = ["FORMATS", "read"]


def read(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    header: bool | None = None,
    delimiter: str | None = None,
    quoting: bool | None = None,
    field: str | None = None,
    sample_by: str | None = None,
    recipe: Recipe | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    max_expansion: float = MAX_EXPANSION,
    features: Mapping[str, Feature] | None = None,
    bad_rows: BadRows | None = None,
) -> Dataset | dict[str, Dataset]:
    """One data set; or a dict with train, validation and test, where the names of files say so.

    - A file is one data set. Its suffix says the format.
    - A folder or a pattern such as `"news-*.csv"` is read by the names in it: files or subfolders
      called train, valid, val, dev, validation or test become splits, and several files of one
      split follow each other in the order of their names. Where no name says a split, all files
      are one data set.
    - A folder of class folders, `<label>/<file>.txt`, has columns text, label and file; it may
      stand inside `train/` and `test/`.
    - XML, and files of which line n of each makes row n, need a `recipe`.
    - A file of text may be compressed: `news.jsonl.gz`, and so with .bz2, .xz and .zst.
    - `pkg:NAME` and `hf://datasets/ORG/NAME` are data sets that `headway.hub` has on this machine.

    Nothing in the files is ever executed, and no format here can hold code.

    Args:
        path: a file, a folder, a pattern or a name.
        format: csv, tsv, jsonl, json, squad, txt, labelled-lines (the first word of a line is its
            label), conll, parquet, arrow, xml, parallel or folder, where the name does not say.
        encoding: any text codec of Python; `latin-1` takes every byte.
        header: csv and tsv: whether the first line names the columns. By default that is guessed
            from its cells; without a header the columns are column_1, column_2, ...
        delimiter: csv and tsv: what stands between cells.
        quoting: csv and tsv: whether cells may stand in double quotes; csv yes, tsv no.
        field: json: which list of the object holds the rows.
        sample_by: txt: what makes a row: `line`, which is the default, `paragraph` (what stands
            between blank lines) or `document` (the whole file).
        recipe: xml and parallel: what is a row and what is a column, as `Recipe` says, or the path
            of a .toml or .json file that says it. It names the format too.
        max_expansion: how many times larger than a compressed file its contents may be, which
            stops a small file that would fill the memory; 16 MB are always allowed.
        features: what columns hold, such as `{"label": Label(("neg", "pos")), "words":
            Sequence(Text())}` (`headway.data.features`); every value is checked and converted.
        bad_rows: `BadRows()` leaves out rows that cannot be read, counts them and keeps the first
            few with file, line, column and value; without it the first bad row is an error.

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
    given = load_recipe(recipe) if recipe is not None else None
    if given is not None and format not in (None, given.format):
        raise ConfigError(f"format={format!r} with a recipe for {given.format}")
    format = given.format if given is not None else format
    options = ReadOptions(
        encoding=encoding,
        header=header,
        delimiter=delimiter,
        quoting=quoting,
        field=field,
        sample_by=sample_by,
        recipe=given,
        max_expansion=max_expansion,
        features=features,
        bad_row=refuse_row if bad_rows is None else bad_rows,
    )
    data = _named(path, format, options)
    if bad_rows is not None and bad_rows.count:
        log.warning("%s: %s", path, bad_rows)
    return data


def _named(
    path: str | Path, format: str | None, options: ReadOptions
) -> Dataset | dict[str, Dataset]:
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
        return read_folder(path, format, options, name)
    if path.exists():
        return read_file(path, format, options, name)
    if any(character in str(path) for character in "*?["):
        return read_split_files(_matching(path), format, options, name)
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
