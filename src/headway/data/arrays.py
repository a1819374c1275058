"""An Arrow column as an array of numpy, torch, JAX or DLPack; `views.py` says what is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.errors import DataError, InputError

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

__all__ = [
    "as_dlpack",
    "as_jax",
    "as_lists",
    "as_numpy",
    "as_ragged",
    "as_torch",
    "chunked",
    "gaps",
    "is_plain",
    "one_chunk",
    "refuse_gaps",
    "without_gaps",
]


def as_numpy(
    column: pa.ChunkedArray | pa.Array, name: str, *, copy: bool | None = None
) -> npt.NDArray[Any]:
    """A column as a numpy array [rows], or [rows, size] for lists of one size.

    Args:
        column: of any type.
        name: of the column, for messages.
        copy: as `Views.to_numpy` has it.

    >>> as_numpy(pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), "x").tolist()
    [[1, 2], [3, 4]]
    """
    column = chunked(column)
    kind = column.type
    if _is_vectors(kind) and not column.null_count:
        return as_numpy(_flat(column), name, copy=copy).reshape(len(column), kind.list_size)
    if column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        refuse_gaps(gaps(column), name)
    shared = is_plain(kind) and not column.null_count and column.num_chunks == 1
    if copy is False and not shared:
        raise _needs_copy(column, name)
    if pa.types.is_dictionary(kind):
        return as_numpy(column.cast(kind.value_type), name)
    array: npt.NDArray[Any] = (column.chunk(0) if shared else column).to_numpy(zero_copy_only=False)
    # What Arrow made for this call alone may be handed out; what it shares is read-only.
    return np.array(array) if not array.flags.writeable and (copy or not shared) else array


def as_torch(
    column: pa.ChunkedArray | pa.Array, name: str, *, copy: bool | None = None
) -> torch.Tensor:
    """A column of numbers as a tensor, [rows] or [rows, size]; `Views.to_torch`."""
    import torch
    from torch.utils.dlpack import from_dlpack

    column = _numbers(column, name)
    if copy or not _is_shareable(column):
        return torch.from_numpy(as_numpy(column, name, copy=copy))
    if _is_vectors(column.type):
        return from_dlpack(_flat(column).chunk(0)).view(len(column), column.type.list_size)
    return from_dlpack(column.chunk(0))


def as_dlpack(column: pa.ChunkedArray | pa.Array, name: str) -> pa.Array:
    """A column of numbers as an object with `__dlpack__`; `Views.to_dlpack`."""
    column = _numbers(column, name)
    if not _is_vectors(column.type):
        array = one_chunk(column)
        if _is_shareable(pa.chunked_array([array])):
            return array
    raise _needs_copy(column, name)


def as_jax(column: pa.ChunkedArray | pa.Array, name: str) -> Any:
    """A column of numbers as a JAX array, [rows] or [rows, size]; `Views.to_jax`."""
    try:
        import jax
    except ImportError:
        raise InputError(
            "to_jax() needs JAX, which is not installed",
            next_step="pip install jax, or use to_numpy(column)",
        ) from None
    array = as_numpy(_numbers(column, name), name)
    found = jax.device_put(array, may_alias=True)
    if (
        found.dtype != array.dtype
        and array.dtype.kind in "iu"
        and (np.asarray(found) != array).any()
    ):
        raise DataError(
            f"column {name!r} holds whole numbers beyond the {found.dtype} that JAX makes of it",
            allowed=f"numbers that fit {found.dtype}",
            next_step='jax.config.update("jax_enable_x64", True)',
        )
    return found


def as_ragged(
    column: pa.ChunkedArray | pa.Array, name: str
) -> tuple[npt.NDArray[Any], npt.NDArray[np.integer[Any]]]:
    """A column of lists of numbers as (values, offsets); `Views.ragged`.

    >>> as_ragged(pa.array([[7, 8], [], [9]]), "ids")
    (array([7, 8, 9]), array([0, 2, 2, 3], dtype=int32))
    """
    column = chunked(column)
    _refuse_other_than_lists(column.type, name)
    refuse_gaps(gaps(column), name)
    if column.num_chunks > 1 and pa.types.is_list(column.type):
        # Together they may hold more numbers than 32 bits count.
        column = column.cast(pa.large_list(column.type.value_field))
    array = one_chunk(column)
    return as_numpy(array.flatten(), name), _list_offsets(array)


def as_lists(array: pa.Array, name: str) -> pa.Array:
    """Lists of numbers of any size, in the same memory; where a value is missing stands any other.

    Args:
        array: lists of numbers, or of as many numbers each.
        name: of the column, for messages.

    >>> as_lists(pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)), "x").type
    LargeListType(large_list<item: int8>)
    """
    _refuse_other_than_lists(array.type, name)
    array = without_gaps(array)
    if not _is_vectors(array.type):
        return array
    offsets = (np.arange(len(array) + 1) + array.offset) * array.type.list_size
    return pa.LargeListArray.from_arrays(pa.array(offsets), array.values)


def _refuse_other_than_lists(kind: pa.DataType, name: str) -> None:
    if not (_is_list(kind) and is_plain(kind.value_type)):
        raise DataError(f"column {name!r} is {kind}", allowed="lists of numbers")


def _list_offsets(lists: pa.Array) -> npt.NDArray[np.integer[Any]]:
    """Where each list begins in `lists.flatten()`, and the end: [rows + 1], read-only."""
    if _is_vectors(lists.type):
        offsets = np.arange(len(lists) + 1) * lists.type.list_size
    else:
        offsets = lists.offsets.to_numpy()
        offsets = offsets - offsets[0] if offsets[0] else offsets
    offsets.flags.writeable = False
    return offsets


def _is_list(kind: pa.DataType) -> bool:
    """Whether a type is one of lists, of any size or of one."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or _is_vectors(kind))


def gaps(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Whether a row misses its value, or one in its list: bool [rows], or [0] if none does.

    >>> gaps(pa.array([[1], None, [2, None], []]))
    array([False,  True,  True, False])
    """
    chunks = chunked(column).chunks
    if not any(c.null_count or (_is_list(c.type) and c.values.null_count) for c in chunks):
        return np.zeros(0, dtype=bool)
    return np.concatenate([_gaps(chunk) for chunk in chunks])


def refuse_gaps(found: npt.NDArray[np.bool_], name: str) -> None:
    """Raises DataError where a row misses a value."""
    if found.any():
        raise DataError(
            f"column {name!r} misses a value in {found.sum()} rows, the first is row "
            f"{found.argmax()}",
            allowed="a value in every row and list: this type has none that means missing",
            next_step="filter() these rows out, or fill them in",
        )


def without_gaps(lists: pa.Array) -> pa.Array:
    """The same lists in the same memory; where a value is missing stands any other."""
    if not _is_list(lists.type):
        return lists
    values = lists.values
    buffer = values.buffers()[1] if is_plain(values.type) else None
    if buffer is None or not (lists.null_count or values.null_count):
        return lists
    values = pa.Array.from_buffers(values.type, len(values), [None, buffer], 0, values.offset)
    own = [None] if _is_vectors(lists.type) else [None, lists.buffers()[1]]
    return pa.Array.from_buffers(lists.type, len(lists), own, 0, lists.offset, children=[values])


def _gaps(array: pa.Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    if _is_list(array.type) and array.values.null_count:
        inside = array.values.is_null().to_numpy(zero_copy_only=False)
        before = np.concatenate([[0], inside.cumsum()])
        if _is_vectors(array.type):
            ends = (np.arange(len(array) + 1) + array.offset) * array.type.list_size
        else:
            ends = array.offsets.to_numpy()
        found = found | (np.diff(before[ends]) > 0)
    return found


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, copied if it lies in several."""
    column = chunked(column)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def chunked(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """The column in at least one chunk."""
    if isinstance(column, pa.Array):
        return pa.chunked_array([column])
    return column if column.num_chunks else pa.chunked_array([pa.array([], column.type)])


def _flat(vectors: pa.ChunkedArray) -> pa.ChunkedArray:
    """The numbers of all vectors, of which none may be missing."""
    return pa.chunked_array([chunk.flatten() for chunk in vectors.chunks])


def _numbers(column: pa.ChunkedArray | pa.Array, name: str) -> pa.ChunkedArray:
    """The column, if it can be a tensor."""
    column = chunked(column)
    if pa.types.is_dictionary(column.type):
        column = chunked(column.cast(column.type.value_type))
    kind = column.type.value_type if _is_vectors(column.type) else column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or kind == pa.bool_()):
        raise DataError(
            f"column {name!r} is {column.type}",
            allowed="numbers, bool, or lists of numbers that all have one size",
            next_step="ragged(column) for lists of any size; make numbers of labels first",
        )
    return column


def _is_vectors(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind))


def is_plain(kind: pa.DataType) -> bool:
    """Whether numpy has the type, with the same bits."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_duration(kind)
    )


def _is_shareable(column: pa.ChunkedArray) -> bool:
    """Whether DLPack can hand it over as it lies."""
    if column.num_chunks > 1 or column.null_count:
        return False
    if _is_vectors(column.type):
        return _is_shareable(_flat(column))
    return bool(pa.types.is_integer(column.type) or pa.types.is_floating(column.type))


def _needs_copy(column: pa.ChunkedArray, name: str) -> DataError:
    chunks = column.num_chunks
    why = "a bit for each value" if column.type == pa.bool_() else str(column.type)
    return DataError(
        f"column {name!r} ({f'{chunks} chunks' if chunks > 1 else why}) cannot be handed over "
        "without a copy",
        allowed="numbers without missing values, in one chunk",
        next_step="to_numpy(column) or to_torch(column), which copy where they must",
    )
