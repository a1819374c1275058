"""Rows to a file that `read` gives back the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from headway.data.dataset import Dataset
from headway.errors import DataError, OutputError, said_by_system

__all__ = ["WRITERS", "write"]


def write(data: Dataset, path: str | Path) -> Path:
    """Writes a data set in the format of the path's suffix, and returns the path.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Args:
        data: the rows.
        path: ends in .csv, .tsv, .jsonl, .parquet or .arrow.

    Raises:
        OutputError: another suffix, or a place that cannot be written.
        DataError: lists or objects in a CSV or TSV file, or text that TSV cannot hold.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise OutputError(f"no way to write {path}", allowed=", ".join(WRITERS))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        writer(data.to_arrow(), unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {said_by_system(error)}",
            allowed="a folder that exists and may be written, with room for the rows",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _write_csv(table: pa.Table, path: Path) -> None:
    import pyarrow.csv as arrow_csv

    _refuse_nested(table)
    arrow_csv.write_csv(table, os.fspath(path))


def _write_tsv(table: pa.Table, path: Path) -> None:
    _refuse_nested(table)
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in [table.column_names, *_rows(table)]:
            cells = ["" if cell is None else str(cell) for cell in row]
            if any(character in cell for cell in cells for character in "\t\r\n"):
                raise DataError(
                    f"a cell with a tab or a line break cannot stand in a TSV file: {cells!r:.80}",
                    next_step="write .csv, .jsonl or .parquet",
                )
            file.write("\t".join(cells) + "\n")


def _write_jsonl(table: pa.Table, path: Path) -> None:
    names = table.column_names
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in _rows(table):
            record = dict(zip(names, row, strict=True))
            file.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")


def _write_parquet(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as parquet

    parquet.write_table(table, os.fspath(path))


def _write_arrow(table: pa.Table, path: Path) -> None:
    with pa.OSFile(os.fspath(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)


def _rows(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _refuse_nested(table: pa.Table) -> None:
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise DataError(
            f"the columns {', '.join(nested)} hold lists or objects, which cells cannot",
            next_step="write .jsonl or .parquet, or drop() them",
        )


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
    ".arrow": _write_arrow,
}
