"""What is written of a file goes to the disk while more of it is made."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

__all__ = ["Writeback"]

_EVERY = 32 << 20  # bytes


class Writeback:
    """Asks the system to write out a file now and then, so that `fsync` has little left at the end.

    Args:
        path: the file, which is there already.

    Raises:
        OSError: from `written` and on leaving: what was written could not be kept.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._thread = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None
        self._bytes = 0

    def __enter__(self) -> Writeback:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
        os.close(self._descriptor)
        if self._running is not None and error is None:
            self._running.result()

    def written(self, count: int) -> None:
        """Takes note of further bytes that were written."""
        self._bytes += count
        if self._bytes < _EVERY or (self._running is not None and not self._running.done()):
            return
        if self._running is not None:
            self._running.result()
        self._bytes = 0
        self._running = self._thread.submit(os.fsync, self._descriptor)
