"""What a training step is given: rows laid end to end, and where each begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data.check_whole import check_whole
from headway.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    import numpy.typing as npt
    import torch

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some rows of one step, without padding. The arrays are this batch's own, to be written to.

    A piece is a row, or with `Blocks` a part of one. A sequence is what a model reads at once: one
    piece, or with `Packing` and `Blocks` several.

    Attributes:
        rows: int64 [pieces]: the row number of each.
        starts: int64 [pieces]: its first token in that row; 0 where rows are whole.
        offsets: int32 [pieces + 1]: where each piece begins, and the end. Fused attention kernels
            know them as `cu_seqlens`.
        sequences: int32 [sequences + 1]: where each sequence begins, and the end.
        ragged: column -> [tokens]: the tokens, and what is aligned with them.
        columns: column -> [pieces]: numpy, or Arrow where values are not numbers.

    >>> batch = Batch(
    ...     rows=np.array([4, 2]),
    ...     starts=np.array([0, 0]),
    ...     offsets=np.array([0, 3, 5], dtype=np.int32),
    ...     sequences=np.array([0, 3, 5], dtype=np.int32),
    ...     ragged={"ids": np.array([5, 6, 7, 8, 9])},
    ... )
    >>> len(batch), batch.tokens, batch.padded("ids", value=-1).tolist()
    (2, 5, [[5, 6, 7], [8, 9, -1]])
    """

    rows: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int32]
    sequences: npt.NDArray[np.int32]
    ragged: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    columns: Mapping[str, npt.NDArray[Any] | pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many pieces there are; 0 where a rank has nothing left to do."""
        return len(self.rows)

    def __getitem__(self, column: str) -> Any:
        """One column by name, aligned with tokens or with rows."""
        if column in self.ragged:
            return self.ragged[column]
        if column in self.columns:
            return self.columns[column]
        known = [*self.ragged, *self.columns]
        hint = nearest(column, known)
        raise DataError(
            f"no column {column!r} in the batch" + (f" ({hint})" if hint else ""),
            allowed=", ".join(known),
            next_step="name it to the Loader",
        )

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return int(self.offsets[-1])

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """The tokens of each piece, int32 [pieces]."""
        return np.diff(self.offsets)

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """The place of each token in its row, int64 [tokens]."""
        lengths = self.lengths
        return np.arange(self.tokens) - np.repeat(self.offsets[:-1] - self.starts, lengths)

    def mask(self, *, side: str = "right", multiple_of: int = 1) -> npt.NDArray[np.bool_]:
        """True where `padded` has a token, bool [sequences, longest]."""
        check_whole("multiple_of=", multiple_of)
        if side not in ("left", "right"):
            raise ConfigError(f"side={side!r}", allowed="left, right")
        lengths = np.diff(self.sequences)
        longest = -(-int(lengths.max(initial=0)) // multiple_of) * multiple_of
        places = np.arange(longest)
        if side == "left":
            places = places[::-1]
        filled: npt.NDArray[np.bool_] = places < lengths[:, None]
        return filled

    def padded(
        self, column: str, *, value: float = 0, side: str = "right", multiple_of: int = 1
    ) -> npt.NDArray[Any]:
        """A column of tokens as [sequences, longest].

        Args:
            column: one of `ragged`.
            value: what stands where there is no token.
            side: "right" or "left": where padding stands.
            multiple_of: what the longest is rounded up to.

        Raises:
            ConfigError: another side, or a multiple below 1.
            DataError: no such column, or it has a value a row.
        """
        if column not in self.ragged:
            self[column]
            raise DataError(
                f"column {column!r} has one value a row", allowed=", ".join(self.ragged)
            )
        mask = self.mask(side=side, multiple_of=multiple_of)
        values = self.ragged[column]
        table = np.full(mask.shape, value, dtype=values.dtype)
        table[mask] = values
        return table

    def torch(self, *, pin: bool = False) -> dict[str, torch.Tensor]:
        """`rows`, `starts`, `offsets`, `sequences` and all columns of numbers as tensors.

        They share this batch's memory, which may be written to. Columns that are no numbers, such
        as text, are left out.

        Args:
            pin: copy into page-locked memory, from which a GPU reads while it computes.

        Raises:
            DataError: a column has the name of one of the four.
            ConfigError: `pin` where there is no GPU.
        """
        import torch

        if pin and not torch.accelerator.is_available():
            raise ConfigError("pin=True, and this machine has no GPU", allowed="pin=False")
        own = ("rows", "starts", "offsets", "sequences")
        arrays = {name: getattr(self, name) for name in own}
        for name, values in (*self.ragged.items(), *self.columns.items()):
            if name in own:
                raise DataError(f"a column named {name!r}", next_step="rename() it first")
            if isinstance(values, np.ndarray):
                arrays[name] = values
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return {name: one.pin_memory() for name, one in tensors.items()} if pin else tensors
