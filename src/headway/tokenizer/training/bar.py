"""How far a training is, on stderr, where somebody looks."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from headway.logs import PATIENCE

__all__ = ["Bar"]

_SAID = {
    "counting": "counting words",
    "merging": "merging pairs",
    "seeding": "finding pieces",
    "fitting": "fitting pieces",
}


class Bar:
    """A bar for each stage in turn; nothing where stderr is no terminal, or all is soon done.

    Args:
        bytes: how much text there is, where it is known.
    """

    def __init__(self, bytes: int | None = None) -> None:
        self._bytes, self._start = bytes, time.monotonic()
        self._shown: Any = None
        self._stage, self._task = "", 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Says how far a stage is; a total of 0 is not known."""
        if not sys.stderr.isatty() or time.monotonic() - self._start < PATIENCE:
            return
        whole = total or (self._bytes if stage == "counting" else None)
        if self._shown is None:
            self._shown = _progress()
            self._shown.start()
        if stage != self._stage:
            if self._stage:
                self._shown.remove_task(self._task)
            self._task = self._shown.add_task(_SAID[stage], total=whole)
            self._stage = stage
        self._shown.update(self._task, completed=done, total=whole)


def _progress() -> Any:
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), transient=True)
