"""Parallel files: line by line, one file a column, as translations and SNLI's parts are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from headway.data.formats.recipes import Recipe
from headway.data.formats.source import ReadOptions, text_buffer
from headway.data.formats.text import lines_of
from headway.data.reading.layout import visible
from headway.data.tables import stacked
from headway.errors import ConfigError, DataError

__all__ = ["parallel_files", "read_lines_together", "read_parallel"]


def read_parallel(path: Path, options: ReadOptions) -> pa.Table:
    """All files of a folder that the recipe's patterns find: line n of each makes row n.

    Raises:
        ConfigError: no recipe for parallel files.
        DataError: a pattern that finds nothing, a file without its partners, or files of
            different length; the message names both and their lines.
    """
    groups = parallel_files(path, options.recipe)
    return stacked([read_lines_together(files, options) for files in groups.values()])


def parallel_files(folder: Path, recipe: Recipe | None) -> dict[str, dict[str, Path]]:
    """For everything that the `*` of the patterns stands for: the file of each column."""
    if recipe is None or recipe.format != "parallel":
        raise ConfigError(
            "parallel files without a recipe for them",
            next_step='recipe={"format": "parallel", "columns": {"de": "*.de", "en": "*.en"}}',
        )
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", allowed="a folder with the parallel files")
    found = {name: _matching(folder, pattern) for name, pattern in recipe.columns.items()}
    keys = sorted({key for files in found.values() for key in files})
    for name, files in found.items():
        missing = next((key for key in keys if key not in files), None)
        if missing is not None:
            other = next(other for other in found.values() if missing in other)[missing]
            wanted = recipe.columns[name].replace("*", missing)
            raise DataError(
                f"{other} has no partner for column {name!r}",
                allowed=f"a file {folder / wanted}",
                next_step="add the file, or make the patterns of the recipe narrower",
            )
    return {key: {name: files[key] for name, files in found.items()} for key in keys}


def read_lines_together(files: Mapping[str, Path], options: ReadOptions) -> pa.Table:
    """Column by column the lines of a file, all of the same number of lines."""
    columns = {name: lines_of(text_buffer(file, options)) for name, file in files.items()}
    (first, lines), *others = columns.items()
    for name, column in others:
        if len(column) != len(lines):
            raise DataError(
                f"{files[name]} has {len(column)} lines, {files[first]} has {len(lines)}",
                allowed="parallel files of one length",
                next_step="find the line that is missing or too many",
            )
    return pa.table(columns)


def _matching(folder: Path, pattern: str) -> dict[str, Path]:
    """What the star stands for, and the file."""
    if pattern.count("*") > 1 or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise ConfigError(
            f"pattern {pattern!r} of parallel files", allowed="a name in the folder, with one *"
        )
    before, star, after = pattern.partition("*")
    name = re.compile(re.escape(before) + ("([^/]+)" if star else "()") + re.escape(after))
    # The star is the only sign with a meaning; brackets and question marks are part of names.
    listed = visible(folder.joinpath(Path(pattern).parent).glob("*"))
    found = {}
    for file in listed:
        match = name.fullmatch(file.relative_to(folder).as_posix())
        if match and file.is_file():
            found[match[1]] = file
    if not found:
        raise DataError(f"no file in {folder} matches {pattern}", next_step="check the pattern")
    return found
