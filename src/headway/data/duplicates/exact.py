"""Rows that are there twice, inside one data set or on both sides of a split.

`rowkeys.py` beside this file says when two rows are the same: equal texts once white space at both
ends is dropped and line breaks are read alike; with `ignore_spacing`, spacing inside does not count
either.
With `near`, so are rows whose texts are almost the same (`near.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headway.data.dataset import Dataset
from headway.data.duplicates.near import near_groups, near_matches
from headway.data.duplicates.rowkeys import row_codes

__all__ = ["drop_duplicates", "drop_leaked"]


def drop_duplicates(
    data: Dataset,
    columns: Sequence[str],
    *,
    ignore_spacing: bool = False,
    near: float | None = None,
) -> tuple[Dataset, int]:
    """(the first row of every group that is the same in `columns`, how many rows were dropped).

    Args:
        data: the rows.
        columns: what is compared.
        ignore_spacing: whether any run of white space counts as one space.
        near: drop near duplicates as well: rows whose texts share at least this part of their runs
            of five characters, 0.8 for instance. Spacing and case then never count.

    Raises:
        ConfigError: `near` outside of 0.1 to 1.
        DataError: a column that does not exist.

    >>> data = Dataset.from_columns({"text": ["a b", " a b", "a  b"]})
    >>> drop_duplicates(data, ["text"])[1], drop_duplicates(data, ["text"], ignore_spacing=True)[1]
    (1, 2)
    >>> data = Dataset.from_columns({"text": ["I like this film a lot.", "I like this film a lot"]})
    >>> drop_duplicates(data, ["text"], near=0.8)[0]["text"]
    ['I like this film a lot.']
    """
    for name in columns:
        data.column(name)
    if near is not None:
        first = np.unique(near_groups(data, columns, threshold=near))
        return data.select(first), len(data) - len(first)
    codes = row_codes([data.rows], columns, ignore_spacing=ignore_spacing)[0]
    first = np.sort(np.unique(codes, return_index=True)[1])
    return data.select(first), len(data) - len(first)


def drop_leaked(
    train: Dataset,
    test: Dataset,
    columns: Sequence[str],
    *,
    ignore_spacing: bool = False,
    near: float | None = None,
) -> tuple[Dataset, int]:
    """(the test rows that are not also in train, how many were dropped), compared in `columns`.

    Name the text columns only: a text in both is leaked whatever its label says. With `near`, test
    rows that are almost a row of train go too, as in `drop_duplicates`.

    Raises:
        ConfigError: `near` outside of 0.1 to 1.
        DataError: a column that does not exist in one of the two.

    >>> train = Dataset.from_columns({"text": ["a", "b"]})
    >>> drop_leaked(train, Dataset.from_columns({"text": ["b ", "c"]}), ["text"])[0]["text"]
    ['c']
    """
    for name in columns:
        train.column(name)
        test.column(name)
    if near is not None:
        clean = near_matches(train, test, columns, threshold=near) < 0
        return test.select(np.flatnonzero(clean)), int(len(test) - clean.sum())
    seen, asked = row_codes([train.rows, test.rows], columns, ignore_spacing=ignore_spacing)
    clean = ~np.isin(asked, seen)
    return test.select(np.flatnonzero(clean)), int(len(test) - clean.sum())
