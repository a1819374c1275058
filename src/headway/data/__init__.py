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
from headway.data.files import FORMATS
from headway.data.inspect import inspect
from headway.data.read import read
from headway.data.recipes import Recipe
from headway.data.splits import Splits, few_per_class, take_splits
from headway.data.stream import stream, write_arrow
from headway.data.write import write

__all__ = [
    "FORMATS",
    "BadRow",
    "BadRows",
    "Columns",
    "Dataset",
    "Recipe",
    "Splits",
    "drop_duplicates",
    "drop_leaked",
    "few_per_class",
    "guess_columns",
    "inspect",
    "read",
    "stream",
    "take_splits",
    "write",
    "write_arrow",
]
