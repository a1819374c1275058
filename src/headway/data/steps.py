"""Heavy steps of a data set: computed in memory, or kept in a store and resumed.

A step gives a table for each run of rows. With an origin (`cache/origin.py`) the table of every
part is a file in a store, so what a killed run has finished is not computed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from headway.data.rows import Rows
from headway.data.step import Step
from headway.data.tables import attached, stacked
from headway.logs import progress

if TYPE_CHECKING:
    from headway.data.cache.origin import Origin

__all__ = ["ranges_of", "run", "run_new_columns"]


def run(step: Step, rows: Rows, origin: Origin | None) -> tuple[pa.Table, Origin | None]:
    """The result of a step, with where it comes from.

    Raises:
        Whatever the step raises.
        OutputError: the store cannot be written.
    """
    if origin is None:
        return _in_memory(step, rows), None
    return origin.stored(step, rows)


def run_new_columns(step: Step, rows: Rows, origin: Origin | None) -> tuple[Rows, Origin | None]:
    """The rows with the columns that a step makes for them, a row for a row.

    In a store only new columns are written, and the others are shared, unless the rows have an
    order of their own: then all are written in that order.
    """

    def every(start: int, stop: int) -> pa.Table:
        return attached(rows.block(start, stop), step.make(start, stop))

    def fill(table: pa.Table, names: Sequence[str], start: int, stop: int) -> pa.Table:
        block = rows.block(start, stop)
        for name in names:
            if name not in table.column_names:
                known = name in block.column_names
                values = block.column(name) if known else pa.nulls(stop - start)
                table = table.append_column(name, values)
        return table.select(names)

    whole = Step(step.name, every, step.functions, step.arguments, step.multiple, step.workers)
    if origin is None:
        return Rows(_in_memory(whole, rows)), None
    if rows.order is not None:
        made, after = origin.stored(whole, rows, fill, kept="all columns")
        return Rows(made), after
    made, after = origin.stored(step, rows, fill, kept="new columns")
    return Rows(attached(rows.table, made)), after


def ranges_of(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """The pieces of at most `size` rows from one place to before another.

    >>> list(ranges_of(4, 9, 2))
    [(4, 6), (6, 8), (8, 9)]
    """
    for at in range(start, stop, size):
        yield at, min(at + size, stop)


def _in_memory(step: Step, rows: Rows) -> pa.Table:
    from headway.data.workers import in_processes  # 8 ms that opening a data set need not pay

    size = step.part_rows(rows)
    cuts = list(ranges_of(0, len(rows), size)) or [(0, 0)]
    tasks = in_processes(lambda i: step.make(*cuts[i]), range(len(cuts)), workers=step.workers)
    made = dict(progress(tasks, step.title, total=len(cuts)))
    return stacked([made[i] for i in range(len(cuts))])
