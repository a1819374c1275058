"""Heavy steps of a data set: computed in memory, or kept in a store and resumed.

A step gives a table for each run of rows. In a store the table of every part is a file, so what a
killed run has finished is not computed again; the key says what the result depends on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data.cache import Store, key_of, reached
from headway.data.cache.parts import make_parts, open_parts
from headway.data.rows import Rows
from headway.data.tables import attached, stacked
from headway.data.workers import in_processes
from headway.logs import progress

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Origin", "Step", "ranges_of", "run", "run_new_columns"]

_PART_BYTES = 64 << 20

Make = Callable[[int, int], pa.Table]


@dataclass(frozen=True)
class Origin:
    """Where the rows of a data set come from, as far as a store is concerned.

    Attributes:
        store: where results are kept.
        identity: the content of the data, or the key of the step that made it.
    """

    store: Store
    identity: str

    def after(self, step: str, **arguments: Any) -> Origin:
        """The origin of what a step gives that is too cheap to be kept."""
        shown = {name: _digest(value) for name, value in arguments.items()}
        return Origin(self.store, f"step:{key_of({'step': step, 'data': self.identity, **shown})}")


@dataclass(frozen=True)
class Step:
    """What a heavy step does.

    Attributes:
        name: of the verb.
        make: the result for the rows from one place to before another.
        functions: those that the user gave.
        arguments: all others that decide the result.
        multiple: a part has a multiple of so many rows; None for all rows in one part.
        workers: how many processes make parts.
    """

    name: str
    make: Make
    functions: Sequence[Callable[..., Any]] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    multiple: int | None = None
    workers: int = 1

    @property
    def title(self) -> str:
        """The verb with the names of the functions: `map clean`."""
        names = [getattr(f, "__qualname__", type(f).__qualname__) for f in self.functions]
        return " ".join([self.name, *(name.rpartition("<locals>.")[2] for name in names)])

    def key(self, origin: Origin, **more: str) -> dict[str, str]:
        """All that the result depends on."""
        arguments = reached(*self.functions, **self.arguments)
        return {"step": self.title, "data": origin.identity, **more, **arguments}

    def part_rows(self, rows: Rows) -> int:
        """How many rows a part has: about 64 MB, and something to do for every worker."""
        if self.multiple is None:
            return max(1, len(rows))
        size = _PART_BYTES / max(1.0, rows.row_bytes)
        if self.workers > 1:
            size = min(size, len(rows) / self.workers)
        return self.multiple * max(1, round(size / self.multiple))


def run(step: Step, rows: Rows, origin: Origin | None) -> tuple[pa.Table, Origin | None]:
    """The result of a step, with where it comes from.

    Raises:
        Whatever the step raises.
        OutputError: the store cannot be written.
    """
    if origin is None:
        return _in_memory(step, rows), None
    return _stored(step, rows, origin, {}, None)


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
        made, after = _stored(whole, rows, origin, {"kept": "all columns"}, fill)
        return Rows(made), after
    made, after = _stored(step, rows, origin, {"kept": "new columns"}, fill)
    return Rows(attached(rows.table, made)), after


def ranges_of(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """The pieces of at most `size` rows from one place to before another.

    >>> list(ranges_of(4, 9, 2))
    [(4, 6), (6, 8), (8, 9)]
    """
    for at in range(start, stop, size):
        yield at, min(at + size, stop)


def _stored(
    step: Step,
    rows: Rows,
    origin: Origin,
    more: dict[str, str],
    fill: Callable[[pa.Table, Sequence[str], int, int], pa.Table] | None,
) -> tuple[pa.Table, Origin]:
    parts = step.key(origin, **more)
    size = step.part_rows(rows)
    path = origin.store.result(
        parts,
        lambda folder: make_parts(
            folder,
            step.make,
            len(rows),
            size,
            workers=step.workers,
            what=step.title,
            fill=fill,
        ),
    )
    return open_parts(path), Origin(origin.store, f"step:{key_of(parts)}")


def _in_memory(step: Step, rows: Rows) -> pa.Table:
    size = step.part_rows(rows)
    cuts = list(ranges_of(0, len(rows), size)) or [(0, 0)]
    tasks = in_processes(lambda i: step.make(*cuts[i]), range(len(cuts)), workers=step.workers)
    made = dict(progress(tasks, step.title, total=len(cuts)))
    return stacked([made[i] for i in range(len(cuts))])


def _digest(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array_digest(value)
    return reached(value=value)["value"]


def _array_digest(array: npt.NDArray[Any]) -> str:
    content = np.ascontiguousarray(array)
    return hashlib.sha256(content.data if content.size else b"").hexdigest()
