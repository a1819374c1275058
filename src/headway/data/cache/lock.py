"""A lock that processes hold one at a time, and that is free again when its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.logs import log

__all__ = ["alone"]


@contextmanager
def alone(path: Path, failed: Callable[[OSError], Exception]) -> Iterator[None]:
    """Holds the lock of a file, which is made if need be; the holder may remove it.

    Args:
        path: the file.
        failed: what is raised where it cannot be opened.
    """
    while True:
        try:
            file = path.open("w")
        except OSError as error:
            raise failed(error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("another process makes this result: waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file.fileno(), path):
                yield
                return
            # The file was removed while we waited: whoever comes now locks another one.


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
