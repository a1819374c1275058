"""Features from a TOML or JSON file: what the columns of a data set hold, written once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headway.data.features import Feature, Image, Label, Number, Sequence, Spans, Text
from headway.data.formats.tablefiles import table_in
from headway.errors import ConfigError, nearest

__all__ = ["features_of", "load_features"]

# A feature that needs no more than its name.
_SIMPLE: dict[str, Callable[[], Feature]] = {
    "text": Text,
    "number": Number,
    "whole number": lambda: Number(whole=True),
    "image": Image,
}
_EXAMPLE = 'label = {label = ["no", "yes"]}, tokens = {sequence = "text"}, n = "number"'


def load_features(
    given: Mapping[str, Feature] | str | os.PathLike[str],
) -> Mapping[str, Feature]:
    """Features as they are, or from a file with a line for each column.

    - `text = "text"`, and so `"number"`, `"whole number"` and `"image"`
    - `label = {label = ["no", "yes"]}`
    - `tokens = {sequence = "text"}`, or of any other feature
    - `people = {spans = "text", labels = ["PER"]}`: spans of the column `text`; `labels` may be
      left out

    Raises:
        ConfigError: a feature that is none of these.
        DataError: a file that cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "features.toml"
    ...     _ = file.write_text('tags = {sequence = {label = ["O", "PER"]}}')
    ...     str(load_features(file)["tags"])
    'sequence of label, 2 names: O, PER'
    """
    if isinstance(given, Mapping):
        return given
    path = Path(given)
    values = table_in(path, "features", allowed=_EXAMPLE)
    if not values:
        raise ConfigError(f"{path} names no column", allowed=_EXAMPLE)
    return features_of(values, path)


def features_of(values: Mapping[str, Any], where: object) -> dict[str, Feature]:
    """Features from what a file of them holds; `form_of` is the way back.

    Args:
        values: column -> what it holds.
        where: the file, for messages.

    Raises:
        ConfigError: a feature that is none.

    >>> str(features_of({"label": {"label": ["no", "yes"]}}, "run.json")["label"])
    'label, 2 names: no, yes'
    """
    return {name: _feature(value, f"{where}, column {name!r}") for name, value in values.items()}


def _feature(value: Any, where: str) -> Feature:
    if isinstance(value, str):
        if value not in _SIMPLE:
            hint = nearest(value, _SIMPLE)
            raise ConfigError(
                f"{where}: no feature {value!r}" + (f" ({hint})" if hint else ""),
                allowed=f"{', '.join(_SIMPLE)}, or a table with label, sequence or spans",
            )
        return _SIMPLE[value]()
    match value:
        case {"label": [*names], **rest} if not rest and _texts(names):
            return Label(tuple(names))
        case {"sequence": inner, **rest} if not rest:
            return Sequence(_feature(inner, where))
        case {"spans": str(text), **rest} if not rest:
            return Spans(text)
        case {"spans": str(text), "labels": [*names], **rest} if not rest and _texts(names):
            return Spans(text, tuple(names))
    raise ConfigError(f"{where}: {value!r:.80} is no feature", allowed=_EXAMPLE)


def _texts(names: list[Any]) -> bool:
    return all(isinstance(name, str) for name in names)
