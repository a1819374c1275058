"""Rows of a table taken by number: from any number of chunks, into memory of their own."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from headway.data import _native, offsets

if TYPE_CHECKING:
    import numpy.typing as npt

    Positions = npt.NDArray[np.int64]

__all__ = ["Taker", "held_column"]


class Taker:
    """Takes rows of a table by number, as often as asked.

    Numbers, texts and lists of numbers are copied without an object for any of them; columns of
    other types take Arrow's way. Rows are visited from low to high numbers but for those that are
    near each other, since memory and disks are faster like that.

    Args:
        table: any Arrow table, which is kept alive.

    >>> taker = Taker(pa.table({"text": pa.chunked_array([["a", "b"], ["c"]])}))
    >>> taker.take(np.array([2, 0, 2]))["text"].to_pylist()
    ['c', 'a', 'c']
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._columns = [held_column(one) or _ArrowColumn(one) for one in table.columns]

    def take(self, positions: Positions) -> pa.Table:
        """A copy of the rows at `positions`, int64, in their order.

        In one chunk, unless texts or lists are longer than the offsets of their type can say.

        Raises:
            IndexError: a position that no row has.
        """
        if not len(positions):
            return self._table.slice(0, 0)
        visits = _native.visits_of(positions, self._table.num_rows)
        columns = []
        found: _native.Taken | pa.Array | None
        for column in self._columns:
            if isinstance(column, _native.Column):
                found = column.gather(visits, offsets.MOST)
            else:
                found = column.gather(positions)
            if found is None:
                middle = len(positions) // 2
                halves = [positions[:middle], positions[middle:]]
                return pa.concat_tables([self.take(half) for half in halves])
            columns.append(pa.array(found))
        return pa.Table.from_arrays(columns, schema=self._table.schema)


class _ArrowColumn:
    """A column of any type, taken as Arrow takes it."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._chunks = column.chunks or [pa.array([], column.type)]
        self._starts = np.cumsum([0, *map(len, self._chunks)])

    def gather(self, positions: Positions) -> pa.Array | None:
        """The values at these positions; None where one array cannot hold them."""
        order = np.argsort(positions)
        rows = positions[order]
        cuts = np.searchsorted(rows, self._starts)
        wanted = [
            (chunk, rows[a:b] - start)
            for chunk, start, (a, b) in zip(
                self._chunks, self._starts[:-1], pairwise(cuts), strict=True
            )
            if a < b
        ]
        if len(positions) > 1 and _most_counted(wanted) > offsets.MOST:
            return None
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        pieces = [chunk.take(pa.array(at)) for chunk, at in wanted]
        return pa.concat_arrays(pieces).take(pa.array(back))


def _most_counted(wanted: list[tuple[pa.Array, Positions]]) -> int:
    """The most that 32-bit offsets of one array would have to count of these rows."""
    counted = [[int(one.sum()) for one in offsets.sizes(chunk, at, at + 1)] for chunk, at in wanted]
    return max((sum(each) for each in zip(*counted, strict=True)), default=0)


def held_column(column: pa.ChunkedArray) -> _native.Column | None:
    """A column whose rows are read without Arrow, or None where it has another type."""
    return _native.column_of([chunk.__arrow_c_array__() for chunk in column.chunks])
