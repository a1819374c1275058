"""Rows of Arrow columns gathered by number: from any number of chunks, into memory of their own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from headway.data.arrays import as_numpy, as_ragged, gaps, refuse_gaps, without_gaps
from headway.data.batches.order import spans
from headway.data.offsets import wide
from headway.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows: TypeAlias = npt.NDArray[np.int64]

__all__ = ["RaggedColumn", "check_aligned", "is_numbers", "take"]

_LONG = 160
"""From so many numbers a row on, copying row by row is faster than taking number by number."""


class RaggedColumn:
    """A column of lists of numbers, read without an object for a list or a number.

    Args:
        table: the rows.
        name: of the column.
        order: int64: those of the rows that count, if not all do.

    Raises:
        DataError: it holds no lists of numbers, or a row that counts misses some.

    >>> ids = RaggedColumn(pa.table({"ids": [[7, 8], [], [9, 5, 6]]}), "ids")
    >>> rows, starts, lengths = np.array([2, 0]), np.array([1, 0]), np.array([2, 2])
    >>> ids.lengths(rows), ids.gather(rows, starts, lengths)
    (array([3, 2]), array([5, 6, 7, 8]))
    """

    def __init__(self, table: pa.Table, name: str, *, order: Rows | None = None) -> None:
        column = table.column(name)
        chunks = column.chunks or [pa.array([], column.type)]
        refuse_gaps(_in_order(gaps(column), order), name)
        self._parts = [as_ragged(without_gaps(chunk), name) for chunk in chunks]
        self._ends = np.cumsum([len(chunk) for chunk in chunks])

    def lengths(self, rows: Rows) -> Rows:
        """How many numbers these rows have, int64 [n]."""
        return self._bounds(rows)[1]

    def gather(self, rows: Rows, starts: Rows, lengths: Rows) -> npt.NDArray[Any]:
        """Numbers `starts` to `starts + lengths` of each row, laid end to end, as a copy."""
        begin = self._bounds(rows)[0] + starts
        if len(self._parts) == 1:
            return _copied(self._parts[0][0], begin, lengths)
        found = np.empty(int(lengths.sum()), dtype=self._parts[0][0].dtype)
        places = lengths.cumsum() - lengths
        chunk = self._ends.searchsorted(rows, side="right")
        for number in np.unique(chunk):
            here = np.flatnonzero(chunk == number)
            copied = _copied(self._parts[number][0], begin[here], lengths[here])
            found[spans(places[here], lengths[here])] = copied
        return found

    def _bounds(self, rows: Rows) -> tuple[Rows, Rows]:
        """Where these rows begin in their chunk's numbers, and their lengths."""
        if len(self._parts) == 1:
            offsets = self._parts[0][1]
            begin = offsets[rows].astype(np.int64)
            return begin, offsets[rows + 1] - begin
        begin, lengths = np.empty_like(rows), np.empty_like(rows)
        chunk = self._ends.searchsorted(rows, side="right")
        for number in np.unique(chunk):
            here = np.flatnonzero(chunk == number)
            offsets = self._parts[number][1]
            inside = rows[here] - (self._ends[number] - len(offsets) + 1)
            begin[here] = offsets[inside]
            lengths[here] = offsets[inside + 1] - begin[here]
        return begin, lengths


def is_numbers(column: pa.ChunkedArray, *, order: Rows | None = None) -> bool:
    """Whether any of these rows are a numpy array of numbers; missing decimals are not-a-number.

    Args:
        column: of any type.
        order: int64: those of its rows that count, if not all do.
    """
    kind = column.type
    vectors = pa.types.is_fixed_size_list(kind)
    inner = kind.value_type if vectors else kind
    if pa.types.is_floating(inner):
        if not vectors or not column.null_count:
            return True
        missing = column.is_null().to_numpy()
    elif pa.types.is_integer(inner) or pa.types.is_boolean(inner):
        missing = gaps(column)
    else:
        return False
    return not _in_order(missing, order).any()


def take(column: pa.ChunkedArray, rows: Rows, *, numbers: bool) -> npt.NDArray[Any] | pa.Array:
    """These rows of a column, as a copy.

    Only the chunks with such rows are touched, and no chunk is copied. More text than offsets of
    32 bits can count is of type `large_string`.

    Args:
        column: of any type.
        rows: int64 [n].
        numbers: what `is_numbers` says: a numpy array, or else an Arrow array, whichever rows.
    """
    found = None
    with suppress(pa.ArrowInvalid):
        found = _taken(column, rows)
    if found is None:  # not while the error is held, which holds what was taken
        found = _taken(column.cast(wide(column.type)), rows)
    return as_numpy(found, "column", copy=True) if numbers else found


def _taken(column: pa.ChunkedArray, rows: Rows) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0).take(pa.array(rows))
    ends = np.cumsum([len(chunk) for chunk in column.chunks], dtype=np.int64)
    chunk = ends.searchsorted(rows, side="right")
    order = np.argsort(chunk, kind="stable")
    parts = [column.chunk(0).slice(0, 0)] if column.num_chunks else [pa.array([], column.type)]
    for number in np.unique(chunk):
        here = column.chunk(int(number))
        inside = rows[order[chunk[order] == number]] - (ends[number] - len(here))
        parts.append(here.take(pa.array(inside)))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(parts).take(pa.array(back))


def check_aligned(name: str, tokens: str, found: Rows, expected: Rows, rows: Rows) -> None:
    """A column cut beside the tokens has as many values in every row.

    Raises:
        DataError: it has not; the message says the first such row.
    """
    wrong = np.flatnonzero(found != expected)
    if wrong.size:
        first = wrong[0]
        raise DataError(
            f"row {rows[first]} has {found[first]} values in {name!r} and {expected[first]} in "
            f"{tokens!r}",
            allowed="one value for each token",
            next_step=f"leave {name!r} out of aligned",
        )


def _in_order(missing: npt.NDArray[np.bool_], order: Rows | None) -> npt.NDArray[np.bool_]:
    return missing if order is None or not len(missing) else missing[order]


def _copied(values: npt.NDArray[Any], begin: Rows, lengths: Rows) -> npt.NDArray[Any]:
    if len(lengths) and lengths.sum() >= _LONG * len(lengths):
        ends = (begin + lengths).tolist()
        return np.concatenate([values[a:b] for a, b in zip(begin.tolist(), ends, strict=True)])
    return values.take(spans(begin, lengths))
