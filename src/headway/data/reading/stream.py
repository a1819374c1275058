"""A file of any size as record batches or as an Arrow file, in memory that does not grow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from headway.data.formats.parts import Part, Parts, conform, plain, without_counting
from headway.data.formats.source import ReadOptions, unreadable
from headway.data.reading.files import FORMATS, chosen_format
from headway.data.reading.large_batches import LargeBatches
from headway.errors import ConfigError, DataError, OutputError

__all__ = ["stream", "write_arrow"]

_OPTIONS = ReadOptions()


def stream(
    path: str | Path,
    *,
    format: str | None = None,
    options: ReadOptions = _OPTIONS,
    schema: pa.Schema | None = None,
) -> pa.RecordBatchReader:
    """The rows of one file, some thousands at a time, with the types that `read` finds.

    csv, tsv, jsonl, txt, parquet and arrow are read in parts; other formats are read whole first.

    Args:
        path: a file.
        format: as in `read`.
        options: the other options of `read`.
        schema: names and types, if they are known. Without, the file is read once more to find
            them, since a type may depend on the last row.

    Raises:
        DataError: what `read` refuses; from the reader, while it is read, a row that does not have
            the types given.
        ConfigError: an option that the format does not have.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,1\\n")
    ...     stream(file).read_all().to_pylist()
    [{'text': 'where is it?', 'label': 1}]
    """
    path, parts = _parts_of(Path(path), format, options)
    if schema is None:
        for part in parts.read(path, options, None):
            schema = _together(parts, schema, part)
        if schema is None or not len(schema):
            raise _no_rows(path)
        options = without_counting(options)
    return pa.RecordBatchReader.from_batches(plain(schema), _batches(path, options, parts, schema))


def write_arrow(
    path: str | Path,
    to: str | Path,
    *,
    format: str | None = None,
    options: ReadOptions = _OPTIONS,
) -> Path:
    """The rows of one file as an Arrow file, which is opened in no time whatever its size.

    The file is parsed once. Only where a later row changes the type of a column is what was
    written thrown away, the rest looked at, and the file parsed again. What is at `to` is whole,
    or as it was before.

    Args:
        path: a file.
        to: where the Arrow file goes.
        format: as in `read`.
        options: the other options of `read`.

    Returns:
        `to`.

    Raises:
        DataError: what `read` refuses.
        OutputError: a place that cannot be written, or a disk that is full.
    """
    path, parts = _parts_of(Path(path), format, options)
    to = Path(to)
    unfinished = to.with_name(f".{to.name}.{os.getpid()}.unfinished")
    try:
        wider = _write(path, options, parts, None, unfinished)
        if wider is not None:
            _write(path, without_counting(options), parts, wider, unfinished)
        unfinished.replace(to)
    except OSError as error:
        raise OutputError(
            f"cannot write {to}: {error.strerror or error}",
            allowed="a folder that exists and may be written, with room for the rows",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return to


def _write(
    path: Path, options: ReadOptions, parts: Parts, known: pa.Schema | None, to: Path
) -> pa.Schema | None:
    """Writes all rows; or gives the types that would fit, where those of the first part do not."""
    schema, rows, fits = known, 0, True
    found = _readable(path, parts.read(path, options, known))
    first = next(found, None)
    if first is None:
        raise _no_rows(path)
    start = schema = _together(parts, schema, first)
    with pa.OSFile(os.fspath(to), "wb") as sink, pa.ipc.new_file(sink, plain(start)) as file:
        batches = LargeBatches(file)
        part: Part | None = first
        while part is not None:
            schema = _together(parts, schema, part)
            fits = fits and plain(schema) == plain(start)
            table = conform(part, start, path) if fits else None
            fits = table is not None
            if table is not None:
                batches.write(table)
            rows += part.rows
            part = next(found, None)
        batches.flush()
    if not rows or not len(schema):
        raise _no_rows(path)
    return None if fits else schema


def _batches(
    path: Path, options: ReadOptions, parts: Parts, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    for part in _readable(path, parts.read(path, options, schema)):
        fitting = plain(_together(parts, schema, part)) == plain(schema)
        table = conform(part, schema, path) if fitting else None
        if table is None:
            here = ", ".join(f"{one.name}: {one.type}" for one in part.table.schema)
            raise DataError(
                f"{path} holds rows of other types than those given: {here}",
                allowed=", ".join(f"{one.name}: {one.type}" for one in schema),
                next_step="leave the schema out to have it found",
            )
        yield from table.to_batches()


def _together(parts: Parts, schema: pa.Schema | None, part: Part) -> pa.Schema:
    if schema is None:
        return part.table.schema
    try:
        return parts.widen(schema, part.table.schema)
    except (pa.ArrowException, ValueError):  # nothing is both
        return part.table.schema


def _readable(path: Path, parts: Iterator[Part]) -> Iterator[Part]:
    """The parts, where a failure to read is told from one to write."""
    try:
        yield from parts
    except OSError as error:
        raise unreadable(path, error) from error


def _parts_of(path: Path, format: str | None, options: ReadOptions) -> tuple[Path, Parts]:
    if not path.is_file():
        raise DataError(f"{path} is no file", allowed="one file on this machine")
    if options.features:
        raise ConfigError(
            "features of a file that is streamed", next_step="apply_features() to each batch"
        )
    chosen = FORMATS[chosen_format(path, format, options)]
    in_parts = options.sample_by in (None, "line")
    if chosen.parts is not None and in_parts:
        return path, chosen.parts

    def whole(path: Path, options: ReadOptions, known: pa.Schema | None) -> Iterator[Part]:
        table = chosen.read(path, options)
        yield Part(table, table.num_rows)

    return path, Parts(whole, lambda a, b: a)


def _no_rows(path: Path) -> DataError:
    return DataError(f"{path} holds no rows", allowed="at least one row with one column")
