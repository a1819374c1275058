"""What a heavy step of a data set does, and in which parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from headway.data.rows import Rows

__all__ = ["Step"]

_PART_BYTES = 64 << 20

Make = Callable[[int, int], pa.Table]


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

    def part_rows(self, rows: Rows) -> int:
        """How many rows a part has: about 64 MB, and something to do for every worker."""
        if self.multiple is None:
            return max(1, len(rows))
        size = _PART_BYTES / max(1.0, rows.row_bytes)
        if self.workers > 1:
            size = min(size, len(rows) / self.workers)
        return self.multiple * max(1, round(size / self.multiple))
