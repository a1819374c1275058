"""Files of any size as record batches or as an Arrow file, in memory that does not grow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from headway.data.badrows import refuse_row
from headway.data.formats.parts import without_counting
from headway.data.formats.source import ReadOptions
from headway.data.reading.find import Place, find_sources
from headway.data.reading.large_batches import LargeBatches
from headway.data.reading.options import read_options
from headway.data.reading.settle import FirstGuess, find_types, settled_tables, types_of
from headway.data.reading.sources import Source
from headway.data.reading.writeback import Writeback
from headway.errors import DataError, OutputError, said_by_system
from headway.logs import log, progress

if TYPE_CHECKING:
    from typing import Unpack

    from headway.data.reading.options import Reading

__all__ = ["stream", "write_arrow", "write_rows"]


def stream(
    path: Place,
    *,
    format: str | None = None,
    schema: pa.Schema | None = None,
    **how: Unpack[Reading],
) -> pa.RecordBatchReader:
    """The rows of one data set, some thousands at a time, with the types that `read` finds.

    csv, tsv, jsonl, txt by lines, class folders, parquet and arrow are read in parts; files of
    other formats are read whole, one after the other.

    Args:
        path: a file, a list of files, or a folder, a pattern or a name that is one data set.
        format: as in `read`.
        schema: names and types in the files, if they are known. Without, the files are read once
            more to find them, since a type may depend on the last row.
        **how: the other options of `read`, `features` and `recipe` among them.

    Raises:
        DataError: what `read` refuses, or several splits; from the reader, while it is read, a row
            that does not have the types given, or a value that is not what a feature allows.
        ConfigError: an option that the format does not have.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "tickets.csv"
    ...     _ = file.write_text("text,label\\nwhere is it?,1\\n")
    ...     stream(file).read_all().to_pylist()
    [{'text': 'where is it?', 'label': 1}]
    """
    format, options = read_options(format, how)
    source = _one(find_sources(path, format, options), "stream")
    if schema is None:
        types, reading = find_types(source, options), without_counting(options)
    else:
        types, reading = types_of(source, [schema] * len(source.pieces), options), options
    tables = settled_tables(source, types, options, reading=reading)
    batches = (batch for table in tables for batch in table.to_batches())
    return pa.RecordBatchReader.from_batches(types.rows, batches)


def write_arrow(
    path: Place, to: str | Path, *, format: str | None = None, **how: Unpack[Reading]
) -> Path:
    """The rows of one data set as an Arrow file, which is opened in no time whatever its size.

    The files are parsed once. Only where a later row changes the type of a column is what was
    written thrown away, the rest looked at, and everything parsed again. What is at `to` is whole,
    or as it was before.

    Args:
        path: as in `stream`.
        to: where the Arrow file goes.
        format: as in `read`.
        **how: the other options of `read`.

    Returns:
        `to`.

    Raises:
        DataError: what `read` refuses, or several splits.
        OutputError: a place that cannot be written, or a disk that is full.
    """
    format, options = read_options(format, how)
    source = _one(find_sources(path, format, options), "write_arrow")
    to = Path(to)
    try:
        write_rows(source, options, to)
    except OSError as error:
        raise OutputError(
            f"cannot write {to}: {said_by_system(error)}",
            allowed="a folder that exists and may be written, with room for the rows",
        ) from error
    bad_rows = how.get("bad_rows")
    if bad_rows is not None and bad_rows.count:
        log.warning("%s: %s", source.name, bad_rows)
    return to


def write_rows(source: Source, options: ReadOptions, to: Path) -> None:
    """What `write_arrow` does, of a source that was found.

    Raises:
        DataError: what `read` refuses.
        OSError: the file cannot be written.
    """
    unfinished = to.with_name(f".{to.name}.{os.getpid()}.unfinished")
    # A value that a feature refuses is counted once: not before the types are known.
    counts = options.bad_row is not refuse_row and options.features
    types = find_types(source, options) if counts else None
    try:
        if types is None:
            guess = FirstGuess(source, options)
            _write(guess.tables(), unfinished, source.name)
            types = None if guess.fits else guess.types
        if types is not None:
            reading = without_counting(options)
            tables = settled_tables(source, types, options, reading=reading)
            _write(tables, unfinished, source.name)
        unfinished.replace(to)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(tables: Iterator[pa.Table], to: Path, what: str) -> None:
    first = next(tables, None)
    if first is None:  # even the first rows have types that need a second look
        return
    with (
        pa.OSFile(os.fspath(to), "wb") as sink,
        Writeback(to) as disk,
        pa.ipc.new_file(sink, first.schema) as file,
    ):
        batches = LargeBatches(file, disk.written)
        for table in progress(chain([first], tables), what):
            batches.write(table)
        batches.flush()


def _one(found: Source | dict[str, Source], function: str) -> Source:
    if isinstance(found, Source):
        return found
    source = next(iter(found.values()))
    files = [str(piece.path) for piece in source.pieces]
    call = repr(files[0]) if len(files) == 1 else f"[{files[0]!r}, ...]"
    raise DataError(
        f"{source.name.removesuffix(f' ({next(iter(found))})')} holds the splits "
        f"{', '.join(found)}",
        allowed="one data set",
        next_step=f"{function}({call}) for {next(iter(found))}, and so for the others",
    )
