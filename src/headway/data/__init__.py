"""Data sets of text on Arrow: read, look, transform, split.

>>> from headway.data import Dataset
>>> data = Dataset.from_columns({"text": ["good", "bad", "fine"], "label": [1, 0, 1]})
>>> data.filter(lambda row: row["label"])["text"]
['good', 'fine']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headway.data.badrows import BadRow, BadRows
    from headway.data.batches.loader import Loader
    from headway.data.columns import Columns, guess_columns
    from headway.data.dataset import Dataset
    from headway.data.dialogue_rows import dialogues
    from headway.data.duplicates.exact import drop_duplicates, drop_leaked
    from headway.data.duplicates.near import near_groups, near_matches
    from headway.data.features import Image, Label, Number, Sequence, Spans, Text, apply_features
    from headway.data.formats.recipes import Recipe
    from headway.data.formats.source import ReadOptions
    from headway.data.infer import describe_features, infer_features
    from headway.data.inspection.inspect import inspect
    from headway.data.inspection.row_sample import row_sample
    from headway.data.mixing import interleave
    from headway.data.reading.files import FORMATS
    from headway.data.reading.gather import as_dataset, read_sql
    from headway.data.reading.open import open_rows
    from headway.data.reading.prepare import prepare
    from headway.data.reading.read import read
    from headway.data.reading.stream import stream, write_arrow
    from headway.data.shards.plan import scan
    from headway.data.splits import Splits, few_per_class, take_splits
    from headway.data.writing import write

PUBLIC = {
    "BadRow": "badrows",
    "BadRows": "badrows",
    "Columns": "columns",
    "Dataset": "dataset",
    "FORMATS": "reading.files",
    "Image": "features",
    "Label": "features",
    "Loader": "batches.loader",
    "Number": "features",
    "ReadOptions": "formats.source",
    "Recipe": "formats.recipes",
    "Sequence": "features",
    "Spans": "features",
    "Splits": "splits",
    "Text": "features",
    "apply_features": "features",
    "as_dataset": "reading.gather",
    "describe_features": "infer",
    "dialogues": "dialogue_rows",
    "drop_duplicates": "duplicates.exact",
    "drop_leaked": "duplicates.exact",
    "few_per_class": "splits",
    "guess_columns": "columns",
    "infer_features": "infer",
    "inspect": "inspection.inspect",
    "interleave": "mixing",
    "near_groups": "duplicates.near",
    "near_matches": "duplicates.near",
    "open_rows": "reading.open",
    "prepare": "reading.prepare",
    "read": "reading.read",
    "read_sql": "reading.gather",
    "row_sample": "inspection.row_sample",
    "scan": "shards.plan",
    "stream": "reading.stream",
    "take_splits": "splits",
    "write": "writing",
    "write_arrow": "reading.stream",
}
"""Public name -> the file it comes from, which is imported when the name is used."""

__all__ = [
    "FORMATS",
    "BadRow",
    "BadRows",
    "Columns",
    "Dataset",
    "Image",
    "Label",
    "Loader",
    "Number",
    "ReadOptions",
    "Recipe",
    "Sequence",
    "Spans",
    "Splits",
    "Text",
    "apply_features",
    "as_dataset",
    "describe_features",
    "dialogues",
    "drop_duplicates",
    "drop_leaked",
    "few_per_class",
    "guess_columns",
    "infer_features",
    "inspect",
    "interleave",
    "near_groups",
    "near_matches",
    "open_rows",
    "prepare",
    "read",
    "read_sql",
    "row_sample",
    "scan",
    "stream",
    "take_splits",
    "write",
    "write_arrow",
]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module 'headway.data' has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"headway.data.{PUBLIC[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
