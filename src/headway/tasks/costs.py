"""What a row costs a step of training, where that is more than its windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["Costs", "tokens_beside"]


@runtime_checkable
class Costs(Protocol):
    """A task whose steps read more of a row than its windows: what is to be written, for one."""

    def beside(self, targets: Any) -> Sequence[int]:
        """How many tokens of each row those are, of what `Task.targets` gives."""


def tokens_beside(task: object, targets: Any) -> Sequence[int]:
    """Tokens of each row that count beside those of its windows; () = none of any.

    >>> tokens_beside("a task of windows alone", [[1, 2], [3]])
    ()
    """
    return task.beside(targets) if isinstance(task, Costs) else ()
