"""Writing a folder all at once: after a crash there is the old one or the new one, whole."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.errors import OutputError

__all__ = ["replaced_folder"]

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@contextmanager
def replaced_folder(
    folder: Path, *, marker: str, replaced: Callable[[str], bool]
) -> Iterator[Path]:
    """Yields an empty folder to write into; it takes `folder`'s place when the context ends well.

    Args:
        folder: where the result goes. It may exist if it is empty or holds `marker`.
        marker: a file that tells a folder written by us from somebody's own.
        replaced: of a file in the old folder, whether the new one stands in for it; other files
            are kept.

    Raises:
        OutputError: the place cannot be written, is full, or holds something else.
    """
    folder = Path(os.path.realpath(folder))
    _check(folder, marker)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _cannot(folder, error) from None
    try:
        yield new
        new.chmod(0o777 & ~_umask())
        _take_place(new, folder, replaced)
    except OSError as error:
        raise _cannot(folder, error) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _check(folder: Path, marker: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", next_step="name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / marker).exists():
        raise OutputError(
            f"{folder} is not empty and holds no {marker}", next_step="name a new or empty folder"
        )


def _take_place(new: Path, folder: Path, replaced: Callable[[str], bool]) -> None:
    for path in [new, *new.rglob("*")]:
        _flush(path)
    if not folder.exists():
        new.rename(folder)
    else:
        for kept in folder.iterdir():
            if not replaced(kept.name) and not (new / kept.name).exists():
                copy = shutil.copytree if kept.is_dir() else shutil.copy2
                copy(kept, new / kept.name)
        _exchange(new, folder)
    _flush(folder.parent)


def _exchange(new: Path, folder: Path) -> None:
    """Swaps two folders; in one step where the system can, else in two."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(new), os.fsencode(folder)
        swap = getattr(libc, "renameat2", None)
        if swap is not None and not swap(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE):
            return
    aside = folder.with_name(f".{folder.name}-old-{os.getpid()}")
    folder.rename(aside)
    new.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot
            raise
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _cannot(folder: Path, error: OSError) -> OutputError:
    reason = {errno.ENOSPC: "the disk is full", errno.EROFS: "the file system is read-only"}
    said = reason.get(error.errno or 0, error.strerror or str(error))
    return OutputError(
        f"{folder} cannot be written: {said}",
        next_step="choose another place; what was there before is untouched",
    )
