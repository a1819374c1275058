"""Parquet and Arrow files: columns with types, memory-mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from headway.data.formats.source import ReadOptions, mapped
from headway.errors import DataError

__all__ = ["read_arrow", "read_parquet"]


def read_parquet(path: Path, options: ReadOptions) -> pa.Table:
    """A Parquet file."""
    import pyarrow.parquet as parquet  # 25 ms that other formats need not pay

    source = mapped(path)
    with _clear_errors(path, "Parquet"):
        # One file as it is: no folder of partitions, no columns taken from the path.
        table = parquet.ParquetFile(pa.BufferReader(source)).read()
    return _plain(path, table)


def read_arrow(path: Path, options: ReadOptions) -> pa.Table:
    """An Arrow IPC file (also called Feather 2) or an Arrow IPC stream, memory-mapped."""
    source = mapped(path)
    with _clear_errors(path, "Arrow"):
        whole = source.size >= 6 and source.slice(0, 6).to_pybytes() == b"ARROW1"
        reader = pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source)
        table = reader.read_all()
        # The file is not trusted: a wrong offset would read outside the mapped memory.
        table.validate(full=True)
    return _plain(path, table)


def _plain(path: Path, table: pa.Table) -> pa.Table:
    """Without metadata, extension types and dictionaries, which nothing downstream looks for."""
    if not table.num_columns or not table.num_rows:
        raise DataError(
            f"{path} has {table.num_rows} rows and {table.num_columns} columns",
            allowed="at least one of each",
            next_step="check the export",
        )
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise DataError(
            f"{path}: column {', '.join(map(repr, twice))} stands there more than once",
            allowed="every column named once",
        )
    columns = [_plain_column(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        column = pa.chunked_array(chunks, type=column.type.storage_type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.type == pa.string_view():
        column = column.cast(pa.string())
    return column


@contextmanager
def _clear_errors(path: Path, kind: str) -> Iterator[None]:
    """Turns what Arrow raises about a broken file into one DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        said = " ".join(str(error).split())
        raise DataError(
            f"{path} is not a whole {kind} file: {said[:200]}",
            allowed=f"a complete {kind} file",
            next_step="write or download it again",
        ) from error
