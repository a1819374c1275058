"""A data set from what is in memory already, or from a database: one function for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from headway.data.badrows import shown
from headway.data.dataset import Dataset
from headway.data.features import Feature, apply_features
from headway.data.formats.columnar import plain_table
from headway.data.tables import table_of
from headway.errors import DataError, InputError

__all__ = ["as_dataset", "read_sql"]

_ROWS_AT_ONCE = 4096


def as_dataset(
    source: Any, *, name: str = "", features: Mapping[str, Feature] | None = None
) -> Dataset:
    """The rows of a pandas or polars frame, a numpy array, a dict, an iterable or a generator.

    Args:
        source: one of

            - a pandas DataFrame; an index becomes a column if it has a name,
            - a polars DataFrame, an Arrow table, a reader of batches, or any other object that
              hands over Arrow data (`__arrow_c_stream__`), without a copy where possible,
            - a dict of columns: lists, numpy or Arrow arrays of one length,
            - a numpy array with named fields, or one with two dimensions, whose columns are then
              column_1, column_2, ...
            - an iterable of dicts, or a function without arguments that gives one; a key that a
              row lacks is missing there. Rows are taken some thousands at a time, so a generator
              may give more of them than there is memory for as Python objects.
        name: where the rows came from, for messages.
        features: what columns hold, as in `read`.

    Raises:
        DataError: nothing of these, no rows, rows that are no dicts, or a column whose values have
            no common type.

    >>> as_dataset({"text": row, "n": len(row)} for row in ["a", "bb"])[1]
    {'text': 'bb', 'n': 2}
    """
    if isinstance(source, Dataset) and not features:
        return source
    name = name or getattr(source, "name", "") or type(source).__name__
    table = plain_table(name, _table(source, name))
    if not table.num_rows or not table.num_columns:
        raise DataError(f"{name} holds no rows", allowed="at least one row with one column")
    if features:
        table = apply_features(table, features, file=name)
    return Dataset(table, name=name)


def read_sql(
    query: str, database: str | os.PathLike[str] | Any, *, parameters: tuple[Any, ...] = ()
) -> Dataset:
    """The rows that a SQL query gives.

    Args:
        query: such as `select text, label from tickets where year = ?`.
        database: a SQLite file, which is opened for reading only; or an open ADBC connection to
            any other database, made by its driver (https://arrow.apache.org/adbc).
        parameters: values for the question marks, which are never put into the query as text.

    Raises:
        InputError: the driver is not installed.
        DataError: no such file, a query that fails or would write, a column of mixed types, or no
            rows.
    """
    if hasattr(database, "cursor"):
        return _query(database, query, parameters, type(database).__name__)
    path = Path(database)
    if not path.is_file():
        raise DataError(f"no SQLite file {path}", next_step="check the path")
    try:
        from adbc_driver_sqlite import dbapi
    except ImportError:
        raise InputError(
            "read_sql() needs the ADBC driver of SQLite, which is not installed",
            next_step="pip install adbc-driver-sqlite adbc-driver-manager",
        ) from None
    with closing(dbapi.connect(f"file:{quote(os.fspath(path.resolve()))}?mode=ro")) as connection:
        return _query(connection, query, parameters, os.fspath(path))


def _query(connection: Any, query: str, parameters: tuple[Any, ...], name: str) -> Dataset:
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(query, parameters or None)
            table = cursor.fetch_arrow_table()
    except Exception as error:
        # Each driver has exceptions of its own; all derive from one that PEP 249 names Error.
        if "Error" not in [kind.__name__ for kind in type(error).__mro__[:-2]]:
            raise
        said = " ".join(str(error).split())
        raise DataError(
            f"{name}: the query failed: {said[:300]}",
            allowed="one query that reads, with one type of values in a column",
            next_step="correct it; cast(COLUMN as text) makes one type of several",
        ) from error
    table = plain_table(name, table)
    if not table.num_rows:
        raise DataError(f"{name}: the query gave no rows", allowed="at least one row")
    return Dataset(table, name=name)


def _table(source: Any, name: str) -> pa.Table:
    if isinstance(source, Dataset):
        return source.to_arrow()
    if type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "reset_index"):
        return _from_pandas(source, name)
    if hasattr(source, "__arrow_c_stream__") or isinstance(source, pa.RecordBatch):
        return pa.table(source)
    if isinstance(source, Mapping):
        return table_of(source)
    if isinstance(source, np.ndarray):
        return _from_numpy(source, name)
    if callable(source):
        source = source()
    if isinstance(source, Iterable) and not isinstance(source, (str, bytes)):
        return _from_rows(source, name)
    raise DataError(
        f"{name} is no rows",
        allowed="a pandas or polars DataFrame, an Arrow table, a dict of columns, a numpy array, "
        "an iterable of dicts, or a function that gives one",
        next_step="read(path) for a file",
    )


def _from_pandas(frame: Any, name: str) -> pa.Table:
    if not hasattr(frame, "columns"):
        raise DataError(f"{name} is one column", next_step='as_dataset({"text": column})')
    if all(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    try:
        return pa.Table.from_pandas(
            frame.rename(columns=str), preserve_index=False
        ).replace_schema_metadata(None)
    except (pa.ArrowException, ValueError, TypeError) as error:
        said = " ".join(str(error).split())
        raise DataError(f"{name}: a column of values of several types: {said[:300]}") from error


def _from_numpy(array: np.ndarray[Any, Any], name: str) -> pa.Table:
    if array.dtype.names:
        return table_of({field: array[field].reshape(-1) for field in array.dtype.names})
    if array.ndim != 2:
        raise DataError(
            f"{name} with {array.ndim} dimensions is no table",
            allowed="two dimensions, or named fields",
            next_step='as_dataset({"text": array})',
        )
    columns = {f"column_{i}": np.ascontiguousarray(c) for i, c in enumerate(array.T, 1)}
    return table_of(columns)


def _from_rows(rows: Iterable[Any], name: str) -> pa.Table:
    tables: list[pa.Table] = []
    before = 0
    for batch in _batches(iter(rows)):
        for number, row in enumerate(batch, before + 1):
            if not isinstance(row, Mapping):
                raise DataError(
                    f"{name} row {number}: {shown(row)} where a dict is expected",
                    allowed='rows such as {"text": "...", "label": "..."}',
                )
        tables.append(_of_rows(batch, before, name))
        before += len(batch)
    if not tables:
        raise DataError(f"{name} holds no rows", allowed="at least one row with one column")
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(
            f"{name}: a column changes its type between rows: {error}",
            allowed="one type in a column",
        ) from error


def _of_rows(batch: list[Mapping[str, Any]], before: int, name: str) -> pa.Table:
    names = dict.fromkeys(key for row in batch for key in row)
    columns: dict[str, pa.Array] = {}
    for key in names:
        values = [row.get(key) for row in batch]
        try:
            columns[str(key)] = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            row = _first_misfit(values)
            raise DataError(
                f"{name} row {before + row + 1}, column {key!r}: {shown(values[row])} does not go "
                f"with the rows above: {' '.join(str(error).split())[:200]}",
                allowed="one type in a column",
            ) from error
    return pa.table(columns)


def _first_misfit(values: list[Any]) -> int:
    """The first value that makes no array together with those before it, by bisection."""
    low, high = 0, len(values)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _makes_array(values[:middle]) else (low, middle)
    return low


def _makes_array(values: list[Any]) -> bool:
    try:
        pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield batch
