"""Writing a folder all at once: after a crash there is the old one or the new one, whole."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.errors import OutputError

__all__ = ["HIDDEN", "half_saved", "replaced_folder"]

AT_FDCWD = -100
RENAME_EXCHANGE = 2

HIDDEN = ".headway-"
"""How the names of unfinished folders begin."""

INSIDE = f"{HIDDEN}inside-"
"""How those begin that lie in the folder that they are for."""

REASONS = {errno.ENOSPC: "the disk is full", errno.EROFS: "the file system is read-only"}


@contextmanager
def replaced_folder(
    folder: Path, *, marker: str, ours: Callable[[Path], bool], replaced: Callable[[str], bool]
) -> Iterator[Path]:
    """Yields an empty folder to write into; it takes `folder`'s place when the context ends well.

    The two are exchanged in one step. Where that cannot be (the working directory, which a shell
    stays in; a mount point; a parent that may not be written), the files are moved in one by one,
    the marker last: a crash in between leaves a folder without marker, never a mixture. Folders
    that go and have no successor go behind it, and a later save clears what a crash has left.

    Args:
        folder: where the result goes. It may exist if it is empty, `ours` or half saved.
        marker: the file without which the folder is not read.
        ours: whether a folder with files in it may be replaced.
        replaced: of a name in the old folder, whether it goes although the new one has no such
            file; all others are kept.

    Raises:
        OutputError: the place cannot be written, is full, or holds something else.
    """
    try:
        folder = Path(os.path.realpath(folder))
        _check(folder, ours)
        whole = not folder.exists() or _can_be_exchanged(folder)
        place = folder.parent if whole else folder
        place.mkdir(parents=True, exist_ok=True)
        new = place / f"{HIDDEN if whole else INSIDE}{secrets.token_hex(6)}"
        new.mkdir()
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        raise _cannot(folder, error) from None
    try:
        yield new
        _flush_all(new)
        if whole:
            _take_place(new, folder, replaced)
        else:
            _move_in(new, folder, marker, replaced)
    except OSError as error:
        raise _cannot(folder, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def half_saved(folder: Path) -> bool:
    """Whether a save into the folder was killed; it was empty or ours when that began."""
    return any(folder.glob(f"{INSIDE}*"))


def _check(folder: Path, ours: Callable[[Path], bool]) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", next_step="name a folder")
    free = not folder.is_dir() or not any(folder.iterdir())
    if not (free or ours(folder) or half_saved(folder)):
        raise OutputError(
            f"{folder} is not empty and holds no model", next_step="name a new or empty folder"
        )


def _can_be_exchanged(folder: Path) -> bool:
    return not (
        Path.cwd().is_relative_to(folder)
        or folder.is_mount()
        or not os.access(folder.parent, os.W_OK)
    )


def _take_place(new: Path, folder: Path, replaced: Callable[[str], bool]) -> None:
    """Makes `new` the folder; what the old one has besides comes with it."""
    if not folder.exists():
        new.rename(folder)
    else:
        for kept in folder.iterdir():
            stale = replaced(kept.name) or kept.name.startswith(HIDDEN)
            if not stale and not os.path.lexists(new / kept.name):
                _link(kept, new / kept.name)
        shutil.copymode(folder, new)
        _flush(new)
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
    aside = new.with_name(new.name + "-old")
    folder.rename(aside)
    try:
        new.rename(folder)
    except BaseException:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _move_in(new: Path, folder: Path, marker: str, replaced: Callable[[str], bool]) -> None:
    """Moves the files of `new`, which lies in the folder, into their places, or none of them; then
    clears what killed saves have left there."""
    aside = new.with_name(new.name + "-old")
    aside.mkdir()
    coming = [path.name for path in new.iterdir()]
    there = [path.name for path in folder.iterdir() if not path.name.startswith(HIDDEN)]
    going = [name for name in there if replaced(name) or name in coming]
    # A run may be kept in one of these: it has to be there until all that is new is.
    last = [name for name in going if name not in coming and (folder / name).is_dir()]
    first = sorted(set(going).difference(last), key=lambda name: name != marker)
    moves = [
        *((folder / name, aside / name) for name in first),
        *((new / name, folder / name) for name in sorted(coming, key=lambda name: name == marker)),
        *((folder / name, aside / name) for name in last),
    ]
    try:
        for source, target in moves:
            source.rename(target)
        _flush(folder)
    except BaseException:
        for source, target in reversed(moves):
            if os.path.lexists(target) and not os.path.lexists(source):
                target.rename(source)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    for left in folder.glob(f"{INSIDE}*"):
        shutil.rmtree(left, ignore_errors=True)


def _link(old: Path, new: Path) -> None:
    """The same file or tree under a second name: costs no space, and open files go on."""
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True, copy_function=_link_file)
    else:
        _link_file(old, new)


def _link_file(old: str | Path, new: str | Path) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:  # a file system without links
        shutil.copy2(old, new, follow_symlinks=False)


def _flush_all(folder: Path) -> None:
    """Brings files to the disk before their names, so that no name leads to half a file."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink() and (path.is_dir() or path.is_file()):
            _flush(path)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that cannot
            raise
    finally:
        os.close(handle)


def _cannot(folder: Path, error: OSError | ValueError) -> OutputError:
    said = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        said = REASONS.get(error.errno, error.strerror or said)
    return OutputError(
        f"{folder} cannot be written: {said}",
        next_step="choose another place; what was there before is untouched",
    )
