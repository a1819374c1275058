"""Parquet and Arrow files: columns with types, memory-mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from headway.data.formats.compression import ALWAYS_ALLOWED
from headway.data.formats.parts import Part, Parts
from headway.data.formats.source import ReadOptions, mapped
from headway.errors import DataError

__all__ = [
    "ARROW",
    "PARQUET",
    "open_arrow",
    "plain_table",
    "read_arrow",
    "read_parquet",
    "record_batches",
    "row_group_bytes",
]

_ROWS_AT_ONCE = 1 << 14


def read_parquet(path: Path, options: ReadOptions) -> pa.Table:
    """A Parquet file."""
    return _whole(path, _parquet_parts(path, options, None))


def read_arrow(path: Path, options: ReadOptions) -> pa.Table:
    """An Arrow IPC file (also called Feather 2) or an Arrow IPC stream, memory-mapped."""
    return _whole(path, _arrow_parts(path, options, None))


def open_arrow(path: Path) -> pa.Table:
    """An Arrow file that Headway has written where nobody else writes: mapped, and not looked at.

    `read_arrow` looks at every value, since a wrong offset in a file of somebody else would read
    outside of it.

    Raises:
        DataError: a file that was cut short.
    """
    with _clear_errors(path, "Arrow"):
        return pa.ipc.open_file(mapped(path)).read_all()


def row_group_bytes(path: Path) -> list[int]:
    """How large the row groups of a Parquet file are unpacked, as its footer says.

    Raises:
        DataError: no Parquet file.
    """
    import pyarrow.parquet as parquet  # 25 ms that other formats need not pay

    with _clear_errors(path, "Parquet"):
        said = parquet.ParquetFile(pa.BufferReader(mapped(path))).metadata
        return [said.row_group(i).total_byte_size for i in range(said.num_row_groups)]


def record_batches(path: Path) -> int:
    """The number of record batches of an Arrow file; 1 for a stream, which is read in one go.

    Raises:
        DataError: no Arrow file.
    """
    source = mapped(path)
    if source.size < 6 or source.slice(0, 6).to_pybytes() != b"ARROW1":
        return 1
    with _clear_errors(path, "Arrow"):
        return int(pa.ipc.open_file(source).num_record_batches)


def _parquet_parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    import pyarrow.parquet as parquet  # 25 ms that other formats need not pay

    with _clear_errors(path, "Parquet"):
        # One file as it is: no folder of partitions, no columns taken from the path.
        file = parquet.ParquetFile(pa.BufferReader(mapped(path)))
        yield Part(plain_table(path, file.schema_arrow.empty_table()), 0)
        # Nothing is asked of the columns in the footer: pyarrow ends the process over some lies.
        rows, size = 0, 0
        cut, groups = options.stretch, None
        if cut is not None:
            groups = list(range(file.metadata.num_row_groups))[cut.start : cut.stop]
        most = max(ALWAYS_ALLOWED, path.stat().st_size * options.max_expansion)
        for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=groups):
            rows += batch.num_rows
            size += batch.nbytes
            if size > most:
                raise DataError(
                    f"{path} grows more than {options.max_expansion:g} times, to over {size} bytes",
                    allowed=f"{options.max_expansion:g} times the size of the file, or 16 MB",
                    next_step='headway.read(..., max_expansion=float("inf")) if you trust the file',
                )
            batch.validate(full=True)  # text that is not UTF-8
            yield Part(plain_table(path, pa.table(batch)), batch.num_rows)
        said = file.metadata.num_rows
        if groups is not None:
            said = sum(file.metadata.row_group(i).num_rows for i in groups)
        if rows != said:
            raise EOFError(f"{rows} rows, where the end of the file says {said}")


def _arrow_parts(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
    source = mapped(path)
    with _clear_errors(path, "Arrow"):
        whole = source.size >= 6 and source.slice(0, 6).to_pybytes() == b"ARROW1"
        reader = pa.ipc.open_file(source) if whole else pa.ipc.open_stream(source)
        yield Part(plain_table(path, reader.schema.empty_table()), 0)
        numbers = range(reader.num_record_batches) if whole else range(0)
        if options.stretch is not None:
            numbers = numbers[options.stretch.start : options.stretch.stop]
        for batch in map(reader.get_batch, numbers) if whole else reader:
            # The file is not trusted: a wrong offset would read outside the mapped memory.
            batch.validate(full=True)
            yield Part(plain_table(path, pa.table(batch)), batch.num_rows)


def _whole(path: Path, parts: Iterator[Part]) -> pa.Table:
    found = [part.table for part in parts]
    with _clear_errors(path, "columnar"):
        table = pa.concat_tables(found)
    if not table.num_columns or not table.num_rows:
        raise DataError(
            f"{path} has {table.num_rows} rows and {table.num_columns} columns",
            allowed="at least one of each",
            next_step="check the export",
        )
    return table


def plain_table(path: Path | str, table: pa.Table) -> pa.Table:
    """Without metadata, extension types and dictionaries, which nothing downstream looks for."""
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
        kind = _without_views(column.type.value_type)
        chunks = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks]
        column = pa.chunked_array(chunks, type=kind)
    kind = _without_views(column.type)
    return column if column.type == kind else column.cast(kind)


def _without_views(kind: pa.DataType) -> pa.DataType:
    """A type in which texts and bytes have offsets, as everything downstream expects them."""
    if kind == pa.string_view():
        return pa.string()
    if kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_list(kind):
        return pa.list_(_without_views(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_without_views(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _without_views(field.type)) for field in kind])
    return kind


@contextmanager
def _clear_errors(path: Path, kind: str) -> Iterator[None]:
    """Turns what Arrow raises about a broken file into one DataError."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise DataError(
            f"{path} is not a whole {kind} file: {said[:200]}",
            allowed=f"a complete {kind} file",
            next_step="write or download it again",
        ) from error


PARQUET = Parts(_parquet_parts, lambda a, b: a)
ARROW = Parts(_arrow_parts, lambda a, b: a)
