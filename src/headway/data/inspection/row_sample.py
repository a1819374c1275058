"""Rows to be read: those that inspection found something about, and others by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from headway.data.columns import Columns
from headway.data.dataset import Dataset
from headway.data.duplicates.shingles import as_text
from headway.data.inspection.languages import guess_language

__all__ = ["MOST", "row_sample"]

MOST = 1000  # rows
_CHARACTERS = 2000  # of a text


def row_sample(
    data: Dataset | Mapping[str, Dataset],
    columns: Columns,
    card: Mapping[str, Any],
    *,
    most: int = MOST,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """At most so many rows of a data set, in the order of its splits and rows.

    Args:
        data: one data set, or splits.
        columns: as given to `inspect`.
        card: what `inspect` said of them; rows that it names as examples are always there.
        most: rows; the rest is drawn by chance, each split as much as its share of rows.
        seed: decides which.

    Returns:
        [{split, row, texts, cut, label, language, marks}]: row numbers from 0; texts of up to 2,000
        characters, and whether one was cut; the label as text or None; marks say what was found.

    >>> from headway.data import guess_columns, inspect
    >>> data = Dataset.from_columns({"text": ["a b", "c &amp; d", "e f"]})
    >>> columns = guess_columns(data, labelled=False)
    >>> rows = row_sample(data, columns, inspect(data, columns))
    >>> [(one["row"], one["texts"], one["marks"]) for one in rows][1]
    (1, ['c &amp; d'], ['remains of HTML'])
    """
    splits = {"all": data} if isinstance(data, Dataset) else dict(data)
    marks = _marks(card)
    marked = {name: sorted(row for split, row in marks if split == name) for name in splits}
    room = max(0, most - sum(map(len, marked.values())))
    total = sum(map(len, splits.values()))
    draw = np.random.default_rng(seed)
    found = []
    for name, part in splits.items():
        share = len(part) if total <= most else room * len(part) // total
        drawn = draw.choice(len(part), share, replace=False) if share else np.empty(0, np.int64)
        rows = np.unique(np.concatenate([np.array(marked[name], np.int64), drawn]))
        found += _rows(name, part, columns, rows, marks)
    return found


def _marks(card: Mapping[str, Any]) -> dict[tuple[str, int], list[str]]:
    """What the card says of rows that it names, by (split, row)."""
    marks: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name, part in card["splits"].items():
        for odd in part["odd"]:
            for row in odd["first"]:
                if odd["what"] not in marks[name, row]:
                    marks[name, row].append(odd["what"])
        for row, other in part["near_duplicates"]:
            marks[name, row].append(f"near row {other}")
            marks[name, other].append(f"near row {row}")
    for leak in card["leakage"]:
        for row, other in leak["first"]:
            marks[leak["into"], row].append(f"near row {other} of {leak['of']}")
            marks[leak["of"], other].append(f"near row {row} of {leak['into']}")
    return marks


def _rows(
    name: str,
    part: Dataset,
    columns: Columns,
    rows: np.ndarray[Any, np.dtype[np.int64]],
    marks: Mapping[tuple[str, int], list[str]],
) -> list[dict[str, Any]]:
    places = pa.array(rows, pa.int64())
    texts = [as_text(part.column(name).take(places)).to_pylist() for name in columns.texts]
    labels: list[Any] = [None] * len(rows)
    if columns.label is not None and columns.label in part.column_names:
        labels = part.column(columns.label).take(places).to_pylist()
    return [
        {
            "split": name,
            "row": row,
            "texts": [text[:_CHARACTERS] for text in whole],
            "cut": any(len(text) > _CHARACTERS for text in whole),
            "label": _label(label),
            "language": guess_language("\n".join(whole)),
            "marks": list(marks.get((name, row), [])),
        }
        for row, label, *whole in zip(rows.tolist(), labels, *texts, strict=True)
    ]


def _label(label: Any) -> str | None:
    if isinstance(label, list):
        label = ", ".join(map(str, label))
    return None if label is None else str(label)[:_CHARACTERS]
