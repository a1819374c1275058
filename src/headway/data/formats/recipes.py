"""Recipes: what in a file or a folder becomes a row, where the format itself does not say it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.data.formats.tablefiles import table_in
from headway.errors import ConfigError, nearest

__all__ = ["Recipe", "load_recipe"]

_FORMATS = ("parallel", "xml")
_KEYS = ("format", "row", "columns")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How rows are found.

    format: `xml` or `parallel`.
    columns: for each column, where its value is. xml: a path inside the row, such as `title`,
        `head/title`, `@id`, `turn[]/@speaker` (a list, one item for each turn), `../@date` (an
        attribute of the element around the row) or `.` (the row's own text). parallel: a pattern
        of file names with one `*`; what it stands for says which files belong together.
    row: xml: the name of the elements that are rows, wherever they stand.

    >>> Recipe("parallel", {"de": "*.de", "en": "*.en"}).columns["en"]
    '*.en'
    """

    format: str
    columns: Mapping[str, str]
    row: str | None = None

    def __post_init__(self) -> None:
        if self.format not in _FORMATS:
            raise ConfigError(
                f"a recipe with format={self.format!r}", allowed=" or ".join(_FORMATS)
            )
        if not isinstance(self.columns, Mapping) or not self.columns:
            raise ConfigError(
                "a recipe without columns", allowed='columns = {text = "body", label = "@topic"}'
            )
        for name, place in self.columns.items():
            if not isinstance(place, str) or not place or not name:
                raise ConfigError(
                    f"column {name!r} of a recipe is {place!r}", allowed="a name and a place in it"
                )
        if (self.row is None) == (self.format == "xml"):
            raise ConfigError(
                "an xml recipe without row" if self.row is None else "row in a parallel recipe",
                allowed='row = "doc", the name of the elements that are rows, in xml recipes only',
            )
        if self.row is not None and (not isinstance(self.row, str) or not self.row.strip()):
            raise ConfigError(f"row = {self.row!r}", allowed="the name of an element")


def load_recipe(given: Recipe | Mapping[str, Any] | str | os.PathLike[str]) -> Recipe:
    """A recipe from a dict with its three keys, or from a .toml or .json file that holds one.

    Raises:
        ConfigError: a key that no recipe has, or one that is missing or of the wrong kind.
        DataError: a file that cannot be read.

    >>> load_recipe({"format": "xml", "row": "doc", "columns": {"text": "body"}}).row
    'doc'
    """
    if isinstance(given, Recipe):
        return given
    if isinstance(given, Mapping):
        values = given
    else:
        values = table_in(Path(given), "recipe", allowed=", ".join(_KEYS))
    for key in values:
        if key not in _KEYS:
            hint = nearest(str(key), _KEYS)
            raise ConfigError(
                f"a recipe with {key!r}" + (f" ({hint})" if hint else ""), allowed=", ".join(_KEYS)
            )
    return Recipe(values.get("format", ""), values.get("columns", {}), values.get("row"))
