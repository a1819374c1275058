"""The options of `read` and of all that reads the same way, checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import NoneType
from typing import Any, TypedDict

from headway.data.badrows import BadRows, refuse_row
from headway.data.features import Feature
from headway.data.formats.compression import MAX_EXPANSION
from headway.data.formats.recipes import Recipe, load_recipe
from headway.data.formats.source import ReadOptions
from headway.data.reading.featurefiles import load_features
from headway.data.reading.files import FORMATS
from headway.errors import ConfigError, nearest

__all__ = ["Reading", "read_options"]


class Reading(TypedDict, total=False):
    """How files are written, and what comes of their rows; `read` says each."""

    encoding: str
    header: bool | None
    delimiter: str | None
    quoting: bool | None
    field: str | None
    sample_by: str | None
    recipe: Recipe | Mapping[str, Any] | str | os.PathLike[str] | None
    max_expansion: float
    features: Mapping[str, Feature] | str | os.PathLike[str] | None
    bad_rows: BadRows | None


def read_options(format: str | None, given: Reading) -> tuple[str | None, ReadOptions]:
    """The format, which a recipe may say, and the options as readers take them.

    Raises:
        ConfigError: an option that does not exist or cannot be.
        DataError: a file of a recipe or of features that cannot be read.
    """
    for name in given:
        if name not in Reading.__annotations__:
            hint = nearest(name, Reading.__annotations__)
            raise ConfigError(
                f"no option {name!r} of reading" + (f" ({hint})" if hint else ""),
                allowed=", ".join(Reading.__annotations__),
            )
    if format is not None and format not in FORMATS:
        hint = nearest(format, FORMATS)
        raise ConfigError(
            f"no format {format!r}" + (f" ({hint})" if hint else ""), allowed=", ".join(FORMATS)
        )
    options: dict[str, Any] = {**given}
    most = options.get("max_expansion", MAX_EXPANSION)
    if not most > 0:
        raise ConfigError(f"max_expansion={most!r}", allowed="a number above 0")
    recipe = options.get("recipe")
    options["recipe"] = known = load_recipe(recipe) if recipe is not None else None
    if known is not None and format not in (None, known.format):
        raise ConfigError(f"format={format!r} with a recipe for {known.format}")
    features = options.get("features")
    options["features"] = load_features(features) if features is not None else None
    bad_rows = options.pop("bad_rows", None)
    if not isinstance(bad_rows, (BadRows, NoneType)):
        raise ConfigError(f"bad_rows={bad_rows!r}", allowed="BadRows()")
    options["bad_row"] = refuse_row if bad_rows is None else bad_rows
    return (known.format if known is not None else format), ReadOptions(**options)
