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

Of rows that were chosen or ordered, only the column that is asked for is gathered, once: the first
view copies it, and later ones share that copy. JAX shares numbers that begin at a multiple of 64
bytes, as most of Arrow's own memory does, and copies others; unless its `jax_enable_x64` is set, it
makes 32 bits of 64.

A view shares its memory with the data set, which stays unchanged only as long as nobody writes
there. numpy arrays are read-only for that reason. **A tensor cannot be**: to write into one in
place (`add_`, `x[0] = 1`), ask for `copy=True`. Where a file lies behind the column, mapped for
reading, the operating system ends a process that writes there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from headway.data.arrays import as_dlpack, as_jax, as_numpy, as_ragged, as_torch
from headway.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas
    import polars
    import torch

__all__ = ["Views"]


class Views(ABC):
    """What other libraries are given of something that has Arrow columns.

    As with the abstract classes of `collections.abc`, a class that has `column` and `to_arrow` is
    given all the others.
    """

    __slots__ = ()

    @abstractmethod
    def column(self, name: str) -> pa.ChunkedArray:
        """One column."""

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """All rows."""

    def to_numpy(self, column: str, *, copy: bool | None = None) -> npt.NDArray[Any]:
        """One column as a numpy array [rows], or [rows, size] for lists of one size.

        Args:
            column: its name.
            copy: as numpy has it. None copies where the type asks for it (the table of
                `headway.data.views` says where), and otherwise gives a read-only view; False
                refuses to copy; True always copies, and the array may be written to.

        Raises:
            DataError: no such column, missing values in integers or `bool`, or a copy that is
                needed and not allowed.

        >>> from headway.data import Dataset
        >>> Dataset.from_columns({"label": [1, 0, 1]}).to_numpy("label", copy=False)
        array([1, 0, 1])
        """
        return as_numpy(self.column(column), column, copy=copy)

    def to_torch(self, column: str, *, copy: bool | None = None) -> torch.Tensor:
        """One column of numbers as a tensor on the processor, [rows] or [rows, size].

        Args:
            column: its name.
            copy: None and False share memory as `to_numpy` does; the tensor is then for reading
                only, though torch has no way to say so. True gives memory of its own.

        Raises:
            DataError: as `to_numpy`; or the column holds neither numbers nor `bool`.

        >>> from headway.data import Dataset
        >>> Dataset.from_columns({"score": [0.5, 1.5]}).to_torch("score").sum()
        tensor(2., dtype=torch.float64)
        """
        return as_torch(self.column(column), column, copy=copy)

    def to_dlpack(self, column: str) -> Any:
        """One column of numbers as an object with `__dlpack__`, for any library's `from_dlpack`.

        It is never a copy, unless the column lies in several chunks. What the protocol cannot say
        (`bool`, missing values, text) is refused.

        Raises:
            DataError: the column cannot be handed over.

        >>> from headway.data import Dataset
        >>> import numpy as np
        >>> np.from_dlpack(Dataset.from_columns({"label": [1, 0]}).to_dlpack("label"))
        array([1, 0])
        """
        return as_dlpack(self.column(column), column)

    def to_jax(self, column: str) -> Any:
        """One column of numbers as a JAX array, [rows] or [rows, size], on JAX's default device.

        JAX arrays are never written to, so sharing is safe.

        Raises:
            InputError: JAX, which Headway does not depend on, is not installed.
            DataError: as `to_torch`, or whole numbers that do not fit into JAX's 32 bits.
        """
        return as_jax(self.column(column), column)

    def ragged(self, column: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.integer[Any]]]:
        """A column of lists of numbers as (values, offsets), without an object a row.

        Row r is `values[offsets[r]:offsets[r + 1]]`. Both are read-only views unless the column
        lies in several chunks.

        Args:
            column: of lists of numbers, of any size or of one; a missing row or number is refused.

        Returns:
            values [numbers of all rows] and offsets [rows + 1], int32 or int64, starting at 0.

        Raises:
            DataError: the column is absent, holds no lists of numbers, or misses some.

        >>> from headway.data import Dataset
        >>> Dataset.from_columns({"ids": [[7, 8], [], [9]]}).ragged("ids")
        (array([7, 8, 9]), array([0, 2, 2, 3], dtype=int32))
        """
        return as_ragged(self.column(column), column)

    def to_polars(self) -> polars.DataFrame:
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
        frame = polars.from_arrow(self.to_arrow(), rechunk=False)
        assert isinstance(frame, polars.DataFrame)
        return frame

    def to_pandas(self, *, arrow: bool = False) -> pandas.DataFrame:
        """The rows as a pandas DataFrame.

        Args:
            arrow: keep columns as Arrow's (`pandas.ArrowDtype`): nothing is copied, whatever the
                type, and missing values stay what they are. Otherwise columns are what pandas
                itself makes of Arrow's, and it copies.

        Raises:
            InputError: pandas, which Headway does not depend on, is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise InputError(
                "to_pandas() needs pandas, which is not installed",
                next_step="pip install pandas, or use to_arrow() or to_numpy(column)",
            ) from None
        return self.to_arrow().to_pandas(types_mapper=pandas.ArrowDtype if arrow else None)
