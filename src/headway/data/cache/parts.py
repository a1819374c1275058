"""The rows of a result as Arrow files beside each other, each whole or not there at all.

part-00000.arrow   one record batch, unless texts are too long for one
plan.json          how many rows of the data each part was made of
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from headway.data.tables import stacked
from headway.data.workers import in_processes
from headway.logs import progress

__all__ = ["make_parts", "open_parts", "part_path"]

_PLAN = "plan.json"


def make_parts(
    folder: Path,
    make: Callable[[int, int], pa.Table],
    rows: int,
    size: int,
    *,
    workers: int = 1,
    what: str = "",
    fill: Callable[[pa.Table, Sequence[str], int, int], pa.Table] | None = None,
) -> int:
    """Writes the parts that are not there yet, and gives the number of rows in all of them.

    Args:
        folder: where they go; it may hold some parts of an earlier attempt.
        make: the result for the rows from one place to before another.
        rows: of the data.
        size: rows of the data in a part. An earlier attempt keeps its own.
        workers: processes that make parts.
        what: the work, for the progress bar.
        fill: for a part (made of the rows from one place to another) that lacks columns which
            other parts have, gives it with all of these.

    Raises:
        DataError: a column changes its type from part to part.
        OSError: the disk is full.
    """
    for left in folder.glob(".*"):
        left.unlink()
    size = _planned(folder, size)
    cuts = [(start, min(start + size, rows)) for start in range(0, rows, size)] or [(0, 0)]
    missing = [i for i in range(len(cuts)) if not _is_whole(part_path(folder, i))]
    tasks = in_processes(
        lambda i: _write(part_path(folder, i), make(*cuts[i])), missing, workers=workers
    )
    for _ in progress(tasks, what, total=len(missing)):
        pass
    return _made_alike(folder, cuts, fill)


def open_parts(folder: Path) -> pa.Table:
    """All rows, memory-mapped."""
    return pa.concat_tables([_opened(path).read_all() for path in sorted(folder.glob("part-*"))])


def _planned(folder: Path, size: int) -> int:
    """The size of the parts: that of an earlier attempt, whose parts shall fit."""
    plan = folder / _PLAN
    with suppress(OSError, ValueError, KeyError):
        return int(json.loads(plan.read_text("utf-8"))["rows"])
    for left in folder.glob("part-*"):
        left.unlink()
    written = folder / f".{_PLAN}"
    written.write_text(json.dumps({"rows": size}), "utf-8")
    written.replace(plan)
    return size


def part_path(folder: Path, number: int) -> Path:
    """Where a part is, or will be."""
    return folder / f"part-{number:05d}.arrow"


def _opened(path: Path) -> pa.RecordBatchFileReader:
    # Arrow's own mapping asks the system to read ahead all that is opened, which takes longer.
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.py_buffer(mapped))


def _is_whole(path: Path) -> bool:
    try:
        _opened(path)
    except (OSError, ValueError):  # absent, empty, or none of Arrow's
        return False
    return True


def _write(path: Path, table: pa.Table) -> None:
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pa.OSFile(os.fspath(written), "wb") as sink, pa.ipc.new_file(sink, table.schema) as to:
            to.write_table(table.combine_chunks())
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)


def _made_alike(
    folder: Path,
    cuts: Sequence[tuple[int, int]],
    fill: Callable[[pa.Table, Sequence[str], int, int], pa.Table] | None,
) -> int:
    """Gives all parts the same columns and types: what is missing in one may be text in another."""
    readers = [_opened(part_path(folder, i)) for i in range(len(cuts))]
    rows = sum(
        reader.get_batch(i).num_rows for reader in readers for i in range(reader.num_record_batches)
    )
    schemas = [reader.schema for reader in readers]
    if all(schema == schemas[0] for schema in schemas):
        return rows
    names = list(dict.fromkeys(name for schema in schemas for name in schema.names))
    common = stacked([schema.empty_table() for schema in schemas])
    for i, schema in enumerate(schemas):
        table = readers[i].read_all()
        if fill is not None and set(schema.names) != set(names):
            table = fill(table, names, *cuts[i])
            common = stacked([common, table.slice(0, 0)])
            _write(part_path(folder, i), table)
    for i in range(len(cuts)):
        table = _opened(part_path(folder, i)).read_all()
        if table.schema != common.schema:
            _write(part_path(folder, i), stacked([common, table]))
    return rows
