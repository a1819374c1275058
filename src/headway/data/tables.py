"""Arrow tables out of Python values and out of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from headway.errors import DataError

__all__ = [
    "attached",
    "is_text",
    "new_columns",
    "refuse_other_columns",
    "stacked",
    "table_of",
    "transposed",
]


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is one of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def table_of(columns: Mapping[str, Any]) -> pa.Table:
    """A table of lists, numpy arrays or Arrow arrays of one length.

    Raises:
        DataError: lengths that differ, or a column of values that have no common type.
    """
    try:
        return pa.table(dict(columns))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"columns that make no table: {said[:300]}") from error


def transposed(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """What `f` returned for the rows of a batch, as columns."""
    for row in rows:
        if not isinstance(row, Mapping):
            raise DataError(
                f"map() got {type(row).__name__} from its function", allowed="a dict of new values"
            )
    names = dict.fromkeys(key for row in rows for key in row)
    return {name: [row.get(name) for row in rows] for name in names}


def new_columns(rows: int, made: Mapping[str, Any], *, replace: bool) -> pa.Table:
    """The columns that `f` made of so many rows; where they replace all others, of any number."""
    if not isinstance(made, Mapping | pa.Table | pa.RecordBatch):
        raise DataError(
            f"map() got {type(made).__name__} from its function", allowed="a dict of lists"
        )
    if isinstance(made, pa.RecordBatch):
        made = pa.Table.from_batches([made])
    new = made if isinstance(made, pa.Table) else table_of(made)
    if len(set(new.column_names)) < new.num_columns:
        raise DataError(
            f"map() got a table with the columns {', '.join(new.column_names)}",
            allowed="every column named once",
        )
    if new.num_columns and not replace and new.num_rows != rows:
        raise DataError(
            f"map() got {new.num_rows} rows back for {rows}",
            allowed="as many as went in",
            next_step="map(..., replace=True) where rows are added or dropped",
        )
    return new


def attached(table: pa.Table, new: pa.Table) -> pa.Table:
    """A table with other columns beside its own, or in the place of those of the same name."""
    for name in new.column_names:
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, new.column(name))
        else:
            table = table.append_column(name, new.column(name))
    return table


def refuse_other_columns(
    name: str, columns: Sequence[str], other: str, other_columns: Sequence[str]
) -> None:
    """Raises DataError where two data sets do not have the same columns, in any order."""
    if set(other_columns) != set(columns):
        raise DataError(
            f"{other or 'the other data set'} has the columns {', '.join(other_columns)}",
            allowed=f"the columns of {name or 'the first'}: {', '.join(columns)}",
            next_step="rename() or keep() columns first",
        )


def stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of the same columns under each other; integers and decimals become decimals."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise DataError(
            f"a column changes its type between parts: {error}",
            allowed="one type in a column",
        ) from error
