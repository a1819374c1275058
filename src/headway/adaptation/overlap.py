"""Rows that are there twice, in training or on both sides of the measuring: dropped, or counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headway.data import Columns, Dataset, drop_duplicates, drop_leaked, near_matches
from headway.data.duplicates.near import NEAR
from headway.data.duplicates.rowkeys import row_codes
from headway.reports.words import plural

__all__ = ["MOST_COMPARED", "near_leaks", "shared_groups", "without_duplicates", "without_leaks"]

MOST_COMPARED = 100_000_000
"""Bytes of text up to which near copies are looked for unasked: that takes some ten seconds, a
small part of what training on so much text does."""


def without_duplicates(
    data: Dataset | Mapping[str, Dataset], columns: Columns, near: float | None
) -> tuple[Dataset | Mapping[str, Dataset], list[str], int]:
    """Without rows that train, or would be cut for test, twice; given test rows all stay.

    Args:
        data: one data set, which is still to be cut, or splits with a `train`.
        columns: whose texts are compared.
        near: the similarity from which two texts count as the same; None = only equal ones do.

    Returns:
        The rows, a line to be said of it, if there is one, and how many were dropped.
    """
    train = data if isinstance(data, Dataset) else data["train"]
    train, dropped = drop_duplicates(train, columns.texts, near=near)
    kinds = "duplicate" if near is None else "duplicate and near-duplicate"
    said = [f"{plural(dropped, f'{kinds} row')} dropped"] if dropped else []
    return (train if isinstance(data, Dataset) else {**data, "train": train}), said, dropped


def without_leaks(
    parts: Sequence[Dataset], test: Dataset, columns: Columns, near: float | None
) -> tuple[list[Dataset], list[str], int]:
    """Training and validation rows without those whose text is also a test text."""
    found = [drop_leaked(test, part, columns.texts, near=near) for part in parts]
    leaked = sum(count for _, count in found)
    like = "also" if near is None else "also, or nearly,"
    said = [f"{leaked} of these rows dropped whose text is {like} a test text"] if leaked else []
    return [part for part, _ in found], said, leaked


def near_leaks(
    parts: Sequence[Dataset], test: Dataset, columns: Columns
) -> tuple[int | None, list[str]]:
    """How many test rows are nearly a training or validation row, and what is to be said of it.

    None where there is more text than is compared unasked.
    """
    size = sum(_text_bytes(part, name) for part in [*parts, test] for name in columns.texts)
    if size > MOST_COMPARED:
        return None, [
            f"test rows that are nearly training rows were not looked for in {size / 1e6:.0f} MB "
            f"of text: near = {NEAR} (--near {NEAR}) drops such training rows"
        ]
    near = np.zeros(len(test), dtype=bool)
    for part in parts:
        if len(part) and len(test):
            near |= near_matches(part, test, columns.texts) >= 0
    count = int(near.sum())
    if not count:
        return 0, []
    return count, [
        f"{plural(count, 'test row is', 'test rows are')} nearly as in training or validation and "
        f"kept: near = {NEAR} (--near {NEAR}) drops these training rows"
    ]


def shared_groups(parts: Sequence[Dataset], test: Dataset, columns: Columns) -> list[str]:
    """A line, if test rows share with others what no cut of ours would part, such as a context."""
    if columns.group is None:
        return []
    *seen, judged = row_codes([part.rows for part in (*parts, test)], [columns.group])
    shared = int(np.isin(judged, np.concatenate(seen)).sum())
    if not shared:
        return []
    return [
        f"{plural(shared, 'test row has', 'test rows have')} a {columns.group} that training or "
        "validation rows have too: on what is all new the result may be worse"
    ]


def _text_bytes(data: Dataset, name: str) -> int:
    """About how many bytes of text a column holds, without looking at them."""
    return int(data.column(name).nbytes)
