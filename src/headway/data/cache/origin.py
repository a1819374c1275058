"""Where the rows of a data set come from, and what heavy steps of it give: looked up, or made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from headway.data.cache.code import reached
from headway.data.cache.parts import make_parts, open_parts
from headway.data.cache.store import Store, key_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from headway.data.rows import Rows
    from headway.data.step import Step

__all__ = ["Fill", "Origin"]

Fill = Callable[[pa.Table, Sequence[str], int, int], pa.Table]
"""A part that lacks columns, all columns, and its place -> the part with all columns."""


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

    def stored(
        self, step: Step, rows: Rows, fill: Fill | None = None, **more: str
    ) -> tuple[pa.Table, Origin]:
        """What a step gives, mapped from the store and made first where it is not there.

        Args:
            step: what is done; its functions and arguments are part of the key.
            rows: those it is done to.
            fill: gives parts the columns that others have; None where all have the same.
            more: what else the result depends on.

        Raises:
            Whatever the step raises.
            OutputError: the store cannot be written.
        """
        arguments = reached(*step.functions, **step.arguments)
        parts = {"step": step.title, "data": self.identity, **more, **arguments}
        size = step.part_rows(rows)
        path = self.store.result(
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
        return open_parts(path), Origin(self.store, f"step:{key_of(parts)}")


def _digest(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _array_digest(value)
    return reached(value=value)["value"]


def _array_digest(array: npt.NDArray[Any]) -> str:
    content = np.ascontiguousarray(array)
    return hashlib.sha256(content.data if content.size else b"").hexdigest()
