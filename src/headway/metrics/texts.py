"""Columns of texts, and of several acceptable texts a row, checked before they are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headway.errors import ConfigError
from headway.metrics.inputs import Column, same_length

__all__ = ["best_by_row", "text_column", "text_lists"]


def text_column(values: Column, what: str) -> list[str]:
    """One text a row; anything else is refused."""
    rows = values.tolist() if isinstance(values, np.ndarray) else list(values)
    for row, value in enumerate(rows):
        if not isinstance(value, str):
            raise ConfigError(f"row {row} of the {what} is {value!r}", allowed="a text")
    return rows


def text_lists(predictions: Column, references: Column, *, least: int = 1) -> list[list[str]]:
    """The acceptable texts of each row: one text, a collection of `least` or more, or `answers`.

    `answers` is how SQuAD's files and their readers write it: {"text": [...], ...}.
    """
    same_length(predictions, references)
    found = [_texts(value, row) for row, value in enumerate(references)]
    for row, texts in enumerate(found):
        if len(texts) < least:
            raise ConfigError(f"row {row} has {len(texts)} references", allowed=f"{least} or more")
    return found


def best_by_row(values: npt.NDArray[Any], per_row: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """The largest of each row's values, where row i has `per_row[i]` of them, one or more."""
    if not len(per_row):
        return values
    best: npt.NDArray[Any] = np.maximum.reduceat(values, np.cumsum(per_row) - per_row)
    return best


def _texts(value: Any, row: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping) and "text" in value:
        value = value["text"]
    texts = list(value) if isinstance(value, Collection) and not isinstance(value, Mapping) else []
    good = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    if not good or not all(isinstance(text, str) for text in texts):
        raise ConfigError(
            f"row {row} of the references is {value!r}", allowed="a text, or a list of texts"
        )
    return texts
