"""Data sets of text on Arrow: read, look, transform, split.

>>> from headway.data import Dataset
>>> data = Dataset.from_columns({"text": ["good", "bad", "fine"], "label": [1, 0, 1]})
>>> data.filter(lambda row: row["label"])["text"]
['good', 'fine']
"""

from headway.data.badrows import BadRow, BadRows
from headway.data.columns import Columns, guess_columns
from headway.data.dataset import Dataset
from headway.data.duplicates import drop_duplicates, drop_leaked
from headway.data.features import (
    Image,
    Label,
    Number,
    Sequence,
    Spans,
    Text,
    apply_features,
)
from headway.data.files import FORMATS
from headway.data.gather import as_dataset, read_sql
from headway.data.infer import describe_features, infer_features
from headway.data.inspect import inspect
from headway.data.interleave import interleave
from headway.data.near_duplicates import near_groups, near_matches
from headway.data.prepare import prepare
from headway.data.read import read
from headway.data.recipes import Recipe
from headway.data.row_sample import row_sample
from headway.data.splits import Splits, few_per_class, take_splits
from headway.data.stream import stream, write_arrow
from headway.data.write import write

__all__ = [
    "FORMATS",
    "BadRow",
    "BadRows",
    "Columns",
    "Dataset",
    "Image",
    "Label",
    "Number",
    "Recipe",
    "Sequence",
    "Spans",
    "Splits",
    "Text",
    "apply_features",
    "as_dataset",
    "describe_features",
    "drop_duplicates",
    "drop_leaked",
    "few_per_class",
    "guess_columns",
    "infer_features",
    "inspect",
    "interleave",
    "near_groups",
    "near_matches",
    "prepare",
    "read",
    "read_sql",
    "row_sample",
    "stream",
    "take_splits",
    "write",
    "write_arrow",
]
