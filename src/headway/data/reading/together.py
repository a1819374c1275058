"""Several data sets under each other, where what does not fit is said by file and column."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.tables import stacked
from headway.errors import DataError

__all__ = ["together"]


def together(parts: Sequence[Dataset], *, name: str) -> Dataset:
    """The rows of all parts in order; columns are in the order of the first part.

    Whole numbers and decimals in one column become decimals, and a column without any value takes
    the type that it has elsewhere.

    Raises:
        DataError: a part that lacks a column or has one more, or a column whose types have nothing
            in common; the message names the parts and the column.
    """
    first = parts[0]
    if any(set(part.column_names) != set(first.column_names) for part in parts):
        _refuse_first_that_differs(parts)
    tables = [part.to_arrow().select(first.column_names) for part in parts]
    try:
        return Dataset(stacked(tables), name=name)
    except DataError:
        _refuse_first_that_differs(parts)
        raise


def _refuse_first_that_differs(parts: Sequence[Dataset]) -> None:
    """Raises DataError for the first part that does not fit those before it."""
    first = parts[0]
    known = first.to_arrow().slice(0, 0)
    for part in parts[1:]:
        _refuse_other_columns(first, part)
        here = part.to_arrow().select(first.column_names).slice(0, 0)
        for name in first.column_names:
            _refuse_other_type(known.select([name]), here.select([name]), part.name)
        known = stacked([known, here])


def _refuse_other_columns(first: Dataset, part: Dataset) -> None:
    lacks = [name for name in first.column_names if name not in part.column_names]
    more = [name for name in part.column_names if name not in first.column_names]
    if not lacks and not more:
        return
    said = [f"no column {', '.join(map(repr, lacks))}"] if lacks else []
    said += [f"a column {', '.join(map(repr, more))} more"] if more else []
    raise DataError(
        f"{part.name} has the columns {', '.join(part.column_names)}: {' and '.join(said)}",
        allowed=f"the columns of {first.name}: {', '.join(first.column_names)}",
        next_step="read them one by one, then rename() or keep() columns and concatenate()",
    )


def _refuse_other_type(known: pa.Table, here: pa.Table, part: str) -> None:
    """Raises DataError where one column of two tables has types with nothing in common."""
    try:
        stacked([known, here])
    except DataError as error:
        raise DataError(
            f"{part}: column {known.column_names[0]!r} holds {here.schema.types[0]}, but "
            f"{known.schema.types[0]} in the files before it",
            allowed="one type in a column",
            next_step="write the column the same way in all files",
        ) from error
