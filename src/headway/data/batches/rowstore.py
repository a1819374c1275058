"""Rows of Arrow columns gathered by number: from any number of chunks, into memory of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from headway.data import _native
from headway.data.arrays import as_lists, as_numpy, chunked, gaps, one_chunk, refuse_gaps
from headway.data.offsets import wide
from headway.data.taking import Taker
from headway.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows: TypeAlias = npt.NDArray[np.int64]

__all__ = ["RaggedColumn", "check_aligned", "is_numbers", "take"]


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
        refuse_gaps(_in_order(gaps(column), order), name)
        chunks = [as_lists(chunk, name) for chunk in chunked(column).chunks]
        native = _native.column_of([chunk.__arrow_c_array__() for chunk in chunks])
        assert native is not None  # which lists of numbers always are
        self._column, self._rows = native, len(column)
        self._dtype = as_numpy(chunks[0].values[:0], name).dtype

    def lengths(self, rows: Rows) -> Rows:
        """How many numbers these rows have, int64 [n]."""
        found = np.empty(len(rows), np.int64)
        self._column.lengths(_native.visits_of(rows, self._rows), found)
        return found

    def gather(self, rows: Rows, starts: Rows, lengths: Rows) -> npt.NDArray[Any]:
        """Numbers `starts` to `starts + lengths` of each row, laid end to end, as a copy."""
        found = np.empty(int(lengths.sum()), self._dtype)
        self._column.copy_parts(_native.visits_of(rows, self._rows), starts, lengths, found)
        return found


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


def take(taker: Taker, rows: Rows, *, numbers: bool) -> npt.NDArray[Any] | pa.Array:
    """Rows of a column, as a copy.

    More text than offsets of 32 bits can count is of type `large_string`.

    Args:
        taker: of a table with this column alone.
        rows: int64 [n].
        numbers: what `is_numbers` says: a numpy array, or else an Arrow array, whichever rows.
    """
    found = taker.take(rows).column(0)
    if found.num_chunks > 1:
        found = found.cast(wide(found.type))
    return as_numpy(found, "column", copy=True) if numbers else one_chunk(found)


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
