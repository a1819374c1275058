"""Rows of an Arrow table in an order of their own: what selects and shuffles copies nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data.arrays import as_numpy, is_plain
from headway.data.rowreader import row_reader
from headway.data.tables import stacked
from headway.data.taking import Taker

if TYPE_CHECKING:
    import numpy.typing as npt

    Positions = npt.NDArray[np.int64]

__all__ = ["Rows", "joined"]

_BLOCK_BYTES = 16 << 20
_BLOCK_ROWS = 1 << 13
_OBJECTS = 1 << 10


class Rows:
    """A table, and which of its rows in which order.

    Args:
        table: any Arrow table.
        order: positions in it, int64, each between 0 and its length; None is all rows as they are.

    >>> rows = Rows(pa.table({"n": [10, 20, 30]}), np.array([2, 0]))
    >>> len(rows), rows.take(np.array([1])).block(0, 1).to_pylist()
    (2, [{'n': 10}])
    """

    __slots__ = ("_columns", "_reader", "_taker", "order", "table")

    def __init__(self, table: pa.Table, order: Positions | None = None) -> None:
        self.table = table
        self.order = order
        self._columns: dict[str, pa.ChunkedArray] = {}  # in order, once they were asked for
        self._reader: Callable[[int], dict[str, Any]] | None = None
        self._taker: Taker | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows) if self.order is None else len(self.order)

    @property
    def num_rows(self) -> int:
        """The number of rows, as Arrow calls it."""
        return len(self)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self.table.schema

    def take(self, positions: Positions) -> Rows:
        """The rows at these positions, without a copy of them."""
        if self.order is None and len(positions) and (np.diff(positions) == 1).all():
            return self.cut(int(positions[0]), int(positions[-1]) + 1)
        return Rows(self.table, positions if self.order is None else self.order[positions])

    def cut(self, start: int, stop: int) -> Rows:
        """The rows from `start` to before `stop`, without a copy."""
        if self.order is None:
            return Rows(self.table.slice(start, max(0, stop - start)))
        return Rows(self.table, self.order[start:stop])

    def row(self, place: int) -> dict[str, Any]:
        """One row as a dict of Python values."""
        if self._reader is None:
            self._reader = row_reader(self.table)
        return self._reader(place if self.order is None else int(self.order[place]))

    def block(self, start: int, stop: int) -> pa.Table:
        """The rows from `start` to before `stop` as a table; a copy, where they have an order."""
        if self.order is None:
            return self.table.slice(start, stop - start)
        if self._taker is None:
            self._taker = Taker(self.table)
        return self._taker.take(self.order[start:stop])

    def slice(self, start: int, length: int) -> pa.Table:
        """A block by its length, as Arrow asks for it."""
        return self.block(start, min(len(self), start + length))

    def blocks(self, rows: int | None = None) -> Iterator[pa.Table]:
        """All rows, some at a time: cut at multiples of `rows`, wherever the chunks end."""
        rows = rows or self.block_rows
        for start in range(0, len(self), rows):
            yield self.block(start, min(start + rows, len(self)))

    def batches(self, rows: int | None = None) -> Iterator[pa.RecordBatch]:
        """All rows as record batches of at most `rows`, copied only where there is an order."""
        if self.order is None:
            yield from self.table.to_batches(max_chunksize=rows)
            return
        for block in self.blocks(rows):
            yield from block.to_batches()

    def dicts(self) -> Iterator[dict[str, Any]]:
        """All rows as dicts of Python values."""
        blocks = [self.table] if self.order is None else self.blocks()
        for block in blocks:
            # Few objects at a time stay in the caches of the processor.
            for batch in block.to_batches(max_chunksize=_OBJECTS):
                yield from batch.to_pylist()

    @property
    def row_bytes(self) -> float:
        """About how many bytes a row takes."""
        return float(self.table.nbytes) / max(1, self.table.num_rows)

    @property
    def block_rows(self) -> int:
        """How many rows are a handy block: some thousands, fewer if they are long."""
        return max(1, min(_BLOCK_ROWS, int(_BLOCK_BYTES / max(1.0, self.row_bytes))))

    def column(self, name: str) -> pa.ChunkedArray:
        """One column in order; copied at the first call only, where there is an order."""
        if self.order is None:
            return self.table.column(name)
        if name not in self._columns:
            self._columns[name] = _gathered(self.keep([name]))
        return self._columns[name]

    def whole(self) -> pa.Table:
        """All rows as one table; from then on they are held like that."""
        if self.order is not None:
            columns = [self.column(name) for name in self.table.column_names]
            self.table, self.order = pa.table(columns, schema=self.schema), None
            self._columns, self._reader, self._taker = {}, None, None
        return self.table

    def keep(self, names: Sequence[str]) -> Rows:
        """Only these columns."""
        return Rows(self.table.select(list(names)), self.order)

    def rename(self, names: Mapping[str, str]) -> Rows:
        """Columns under other names."""
        new = [names.get(name, name) for name in self.table.column_names]
        return Rows(self.table.rename_columns(new), self.order)


def _gathered(rows: Rows) -> pa.ChunkedArray:
    """The only column of rows with an order: in one chunk if its values have one size."""
    kind, column = rows.schema.types[0], rows.table.column(0)
    blocks = (block.column(0) for block in rows.blocks(8 * rows.block_rows))
    vectors = pa.types.is_fixed_size_list(kind)
    inner, each = (kind.value_type, kind.list_size) if vectors else (kind, 1)
    holes = column.null_count or (vectors and any(c.flatten().null_count for c in column.chunks))
    if not is_plain(inner) or holes:
        return pa.chunked_array([chunk for block in blocks for chunk in block.chunks], kind)
    width, count = inner.bit_width // 8, each * len(rows)
    buffer = pa.allocate_buffer(width * count)
    filled, at = np.frombuffer(buffer, np.uint8), 0
    for block in blocks:
        found = as_numpy(block, rows.schema.names[0]).reshape(-1).view(np.uint8)
        filled[at : at + len(found)] = found
        at += len(found)
    array = pa.Array.from_buffers(inner, count, [None, buffer], 0)
    if vectors:
        array = pa.Array.from_buffers(kind, len(rows), [None], 0, children=[array])
    return pa.chunked_array([array])


def joined(parts: Iterable[Rows]) -> Rows:
    """Rows under each other, without a copy where the types of their columns agree.

    Raises:
        DataError: a column whose types have nothing in common.
    """
    parts = list(parts)
    names = parts[0].table.column_names
    table = stacked([part.table.select(names) for part in parts])
    if all(part.order is None for part in parts):
        return Rows(table)
    starts = np.cumsum([0, *(part.table.num_rows for part in parts)])
    orders = [
        (np.arange(part.table.num_rows) if part.order is None else part.order) + start
        for part, start in zip(parts, starts[:-1], strict=True)
    ]
    return Rows(table, np.concatenate(orders).astype(np.int64))
