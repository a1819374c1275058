"""Columns as numpy, torch, JAX and DLPack, rows as pandas and polars; no copy where types allow.

| column | numpy | torch, JAX | copied |
|---|---|---|---|
| integers, decimals (`float`), no missing values | same type [rows] | same type | no |
| timestamps, durations, no missing values | `datetime64`, `timedelta64` | refused | no |
| fixed-size lists of numbers | [rows, size] | [rows, size] | no |
| `bool`, which Arrow packs into bits | `bool` | `bool` | yes |
| `float` with missing values | not-a-number | not-a-number | yes |
| text, lists, objects | Python objects | refused; lists: `ragged` | yes |
| anything in several chunks | as above | as above | yes |

A view shares its memory with the data set, which stays unchanged only as long as nobody writes
there. numpy arrays are read-only for that reason. **A tensor cannot be**: to write into one in
place (`add_`, `x[0] = 1`), ask for `copy=True`. Where a file lies behind the column, mapped for
reading, the operating system ends a process that writes there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from headway.data.dataset import Dataset
from headway.data.no_column import no_column
from headway.errors import DataError, InputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas
    import polars
    import torch

__all__ = [
    "ragged",
    "to_dlpack",
    "to_jax",
    "to_numpy",
    "to_pandas",
    "to_polars",
    "to_torch",
]

Rows: TypeAlias = "Dataset | pa.Table"


def to_numpy(data: Rows, column: str, *, copy: bool | None = None) -> npt.NDArray[Any]:
    """One column as a numpy array [rows], or [rows, size] for lists of one size.

    Args:
        data: a data set or a table.
        column: its name.
        copy: as numpy has it. None copies where the type asks for it (the table above says
            where), and otherwise gives a read-only view; False refuses to copy; True always
            copies, and the array may be written to.

    Raises:
        DataError: no such column, missing values in integers or `bool`, or a copy that is needed
            and not allowed.

    >>> data = Dataset.from_columns({"label": [1, 0, 1]})
    >>> to_numpy(data, "label", copy=False)
    array([1, 0, 1])
    """
    values = _values(data, column, copy)
    kind = values.type
    if _is_vectors(kind) and not values.null_count:
        inner = to_numpy(pa.table({column: values.flatten()}), column, copy=copy)
        return inner.reshape(len(values), kind.list_size)
    if values.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise _missing(values, column)
    shared = _is_plain(kind) and not values.null_count
    if copy is False and not shared:
        raise _needs_copy(column, "a bit for each value" if kind == pa.bool_() else str(kind))
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    # What Arrow made for this call alone may be handed out; what it shares is read-only.
    return np.array(array) if not array.flags.writeable and (copy or not shared) else array


def to_torch(data: Rows, column: str, *, copy: bool | None = None) -> torch.Tensor:
    """One column of numbers as a tensor on the processor, [rows] or [rows, size].

    Args:
        data: a data set or a table.
        column: its name.
        copy: None and False share memory as `to_numpy` does; the tensor is then for reading only,
            though torch has no way to say so. True gives memory of its own.

    Raises:
        DataError: as `to_numpy`; or the column holds neither numbers nor `bool`.

    >>> to_torch(Dataset.from_columns({"score": [0.5, 1.5]}), "score").sum()
    tensor(2., dtype=torch.float64)
    """
    import torch
    from torch.utils.dlpack import from_dlpack

    values = _numbers(_values(data, column, copy), column)
    if copy or not _is_shareable(values):
        return torch.from_numpy(to_numpy(pa.table({column: values}), column, copy=copy))
    if _is_vectors(values.type):
        return from_dlpack(values.flatten()).view(len(values), values.type.list_size)
    return from_dlpack(values)


def to_dlpack(data: Rows, column: str) -> Any:
    """One column of numbers as an object with `__dlpack__`, for any library's `from_dlpack`.

    It is never a copy, unless the column lies in several chunks. What the protocol cannot say
    (`bool`, missing values, text) is refused.

    Raises:
        DataError: the column cannot be handed over.

    >>> np.from_dlpack(to_dlpack(Dataset.from_columns({"label": [1, 0]}), "label"))
    array([1, 0])
    """
    values = _numbers(_values(data, column, None), column)
    if not _is_shareable(values) or _is_vectors(values.type):
        raise _needs_copy(column, str(values.type))
    return values


def to_jax(data: Rows, column: str) -> Any:
    """One column of numbers as a JAX array, [rows] or [rows, size], sharing memory where JAX does.

    JAX arrays are never written to, so sharing is safe. Unless its `jax_enable_x64` is set, JAX
    makes 32 bits of 64.

    Raises:
        InputError: JAX, which Headway does not depend on, is not installed.
        DataError: as `to_torch`, or whole numbers that do not fit into JAX's 32 bits.
    """
    try:
        from jax import numpy as jnp
    except ImportError:
        raise InputError(
            "to_jax() needs JAX, which is not installed",
            next_step="pip install jax, or use to_numpy(data, column)",
        ) from None
    array = to_numpy(pa.table({column: _numbers(_values(data, column, None), column)}), column)
    found = jnp.asarray(array)
    if (
        found.dtype != array.dtype
        and array.dtype.kind in "iu"
        and (np.asarray(found) != array).any()
    ):
        raise DataError(
            f"column {column!r} holds whole numbers beyond the {found.dtype} that JAX makes of it",
            allowed=f"numbers that fit {found.dtype}",
            next_step='jax.config.update("jax_enable_x64", True)',
        )
    return found


def to_polars(data: Rows) -> polars.DataFrame:
    """The rows as a polars DataFrame, which is Arrow too: only short texts are laid out anew.

    Raises:
        InputError: polars, which Headway does not depend on, is not installed.
    """
    try:
        import polars
    except ImportError:
        raise InputError(
            "to_polars() needs polars, which is not installed",
            next_step="pip install polars, or use to_arrow()",
        ) from None
    frame = polars.from_arrow(_table(data), rechunk=False)
    assert isinstance(frame, polars.DataFrame)
    return frame


def to_pandas(data: Rows, *, arrow: bool = False) -> pandas.DataFrame:
    """The rows as a pandas DataFrame.

    Args:
        data: a data set or a table.
        arrow: keep columns as Arrow's (`pandas.ArrowDtype`): nothing is copied, whatever the type,
            and missing values stay what they are. Otherwise columns are numpy's, text is objects,
            and pandas copies.

    Raises:
        InputError: pandas, which Headway does not depend on, is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise InputError(
            "to_pandas() needs pandas, which is not installed",
            next_step="pip install pandas, or use to_arrow() or to_numpy(data, column)",
        ) from None
    return _table(data).to_pandas(types_mapper=pandas.ArrowDtype if arrow else None)


def ragged(data: Rows, column: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.integer[Any]]]:
    """A column of lists of numbers as (values, offsets), without an object a row.

    Row r is `values[offsets[r]:offsets[r + 1]]`. Both are read-only views unless the column lies
    in several chunks.

    Args:
        data: a data set or a table.
        column: lists of numbers, of any size or of one; a missing row or value is refused.

    Returns:
        values [numbers of all rows] and offsets [rows + 1], int32 or int64, starting at 0.

    Raises:
        DataError: the column is absent, holds no lists of numbers, or misses some.

    >>> ragged(Dataset.from_columns({"ids": [[7, 8], [], [9]]}), "ids")
    (array([7, 8, 9]), array([0, 2, 2, 3], dtype=int32))
    """
    values = _column(data, column)
    if _is_vectors(values.type):
        values = values.cast(pa.list_(values.type.value_field))
    if not (pa.types.is_list(values.type) or pa.types.is_large_list(values.type)):
        raise DataError(f"column {column!r} is {values.type}", allowed="lists of numbers")
    if values.null_count:
        raise _missing(values, column)
    if values.num_chunks > 1 and pa.types.is_list(values.type):
        # Together they may hold more numbers than 32 bits count.
        values = values.cast(pa.large_list(values.type.value_field))
    array = _one(values)
    offsets = array.offsets.to_numpy()
    if offsets[0]:
        offsets = offsets - offsets[0]
        offsets.flags.writeable = False
    inner = array.flatten()
    if not _is_plain(inner.type):
        raise DataError(f"column {column!r} is {array.type}", allowed="lists of numbers")
    return to_numpy(pa.table({column: inner}), column), offsets


def _table(data: Rows) -> pa.Table:
    return data.to_arrow() if isinstance(data, Dataset) else data


def _column(data: Rows, column: str) -> pa.ChunkedArray:
    if isinstance(data, Dataset):
        return data.column(column)
    if column not in data.column_names:
        raise no_column(column, data.column_names, "the table")
    return data.column(column)


def _values(data: Rows, column: str, copy: bool | None) -> pa.Array:
    values = _column(data, column)
    if copy is False and values.num_chunks > 1:
        raise _needs_copy(column, f"{values.num_chunks} chunks")
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return _one(values)


def _one(values: pa.ChunkedArray) -> pa.Array:
    if values.num_chunks == 1:
        return values.chunk(0)
    return pa.concat_arrays(values.chunks) if values.chunks else pa.array([], values.type)


def _numbers(values: pa.Array, column: str) -> pa.Array:
    kind = values.type.value_type if _is_vectors(values.type) else values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or kind == pa.bool_()):
        raise DataError(
            f"column {column!r} is {values.type}",
            allowed="numbers, bool, or lists of numbers that all have one size",
            next_step="ragged(data, column) for lists of any size; make numbers of labels first",
        )
    return values


def _is_vectors(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def _is_plain(kind: pa.DataType) -> bool:
    """Whether numpy has the type, with the same bits."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_duration(kind)
    )


def _is_shareable(values: pa.Array) -> bool:
    """Whether DLPack can hand it over as it lies."""
    if _is_vectors(values.type):
        return not values.null_count and _is_shareable(values.flatten())
    kind = values.type
    return not values.null_count and (pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _missing(values: pa.Array | pa.ChunkedArray, column: str) -> DataError:
    row = values.is_null().index(True).as_py()
    return DataError(
        f"column {column!r} has no value in {values.null_count} rows, the first is row {row}",
        allowed="a value in every row: this type has none that means missing",
        next_step="filter() these rows out, or fill them in",
    )


def _needs_copy(column: str, why: str) -> DataError:
    return DataError(
        f"column {column!r} ({why}) cannot be handed over without a copy",
        allowed="numbers without missing values, in one chunk",
        next_step="to_numpy(data, column) or to_torch(data, column), which copy where they must",
    )
