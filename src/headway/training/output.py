"""Where a run is saved: checked before any work is done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path

from headway.checkpoints import is_model_folder
from headway.checkpoints.folders import HIDDEN, half_saved
from headway.errors import OutputError
from headway.model import Model
from headway.training.processes import crew

__all__ = [
    "ADAPTER",
    "FAILED",
    "FILES",
    "HALF",
    "HISTORY",
    "KEPT",
    "LIVE",
    "REPORT",
    "RUN",
    "TENSORBOARD",
    "can_be_replaced",
    "check_output",
    "free_space",
    "stale_files",
]

KEPT = "training"
"""The folder of a run on its way, in that of the run."""
LIVE = "live.html"
"""The page of a run on its way, and of how it went."""
HALF = f".{LIVE}.*"
"""What a run that was killed while it wrote its page leaves."""
TENSORBOARD = "tensorboard"
"""The folder of event files, where they are asked for."""
RUN = "run.json"
REPORT = "report.json"
HISTORY = "metrics.jsonl"
FAILED = "failed-rows.jsonl"
"""The rows of the step that could not be taken."""
ADAPTER = "adapter"
"""The folder of what was learned by itself."""
SEEDS = "seed-*"
"""The folders of the same run with other seeds."""
FILES = (ADAPTER, RUN, HISTORY, FAILED, REPORT, HALF, "report.html", "README.md")
"""What stands beside the model; of an older run in the same folder nothing of it is left."""


def stale_files(state: str, *, tensorboard: bool, resumed: bool = False) -> tuple[str, ...]:
    """What does not outlive an older run in a folder, once another one is saved there.

    Args:
        state: of the new one; what is kept to go on with goes when it is done.
        tensorboard: whether it has written event files.
        resumed: whether it goes on with what is there; then the other seeds are its own.
    """
    gone = {KEPT: state == "done", TENSORBOARD: not tensorboard, SEEDS: not resumed}
    return (*FILES, *(name for name, goes in gone.items() if goes))


def check_output(folder: Path, model: Model) -> None:
    """Whether a run can be saved there, asked before any work is done; leaves nothing behind.

    Of several processes the first one asks, since it is the one that writes.

    Raises:
        OutputError: the place is taken, read-only or too small.
    """
    several, wrong = crew(), None
    if several.main:
        try:
            _check(folder, model)
        except OutputError as error:
            wrong = error
    if several.most(wrong is not None)[0]:
        raise wrong or OutputError(
            f"{folder}: the first process cannot save there", next_step="see what it says"
        )


def free_space(folder: Path) -> int:
    """Bytes that can be written into a folder, which is tried; leaves nothing behind.

    Raises:
        OutputError: the place is taken or read-only.
    """
    try:
        with _made(folder), tempfile.TemporaryFile(dir=folder):
            return shutil.disk_usage(folder).free
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        raise _unwritable(folder, error) from None


def _unwritable(folder: Path, error: Exception) -> OutputError:
    said = getattr(error, "strerror", None) or str(error)
    return OutputError(f"{folder} cannot be written: {said}", next_step="choose another --out")


def _check(folder: Path, model: Model) -> None:
    try:
        folder = Path(os.path.realpath(folder))
        taken = folder.is_dir() and not can_be_replaced(folder)
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from None
    if taken:
        raise OutputError(
            f"{folder} is not empty and holds no model", next_step="name a new or empty folder"
        )
    free = free_space(folder)
    needed = int(1.1 * sum(p.numel() * p.element_size() for p in model.parameters()))
    if free < needed:
        raise OutputError(
            f"{folder}: {free // 2**20} MB are free and the model takes {needed // 2**20}",
            next_step="make room, or choose another --out",
        )


def can_be_replaced(folder: Path) -> bool:
    """Whether a folder is empty, holds a model, or nothing but a run on its way; or a save into it
    was killed."""
    on_its_way = (KEPT, LIVE, HALF, TENSORBOARD, f"{HIDDEN}*")
    strange = (
        path.name
        for path in folder.iterdir()
        if not any(fnmatch(path.name, known) for known in on_its_way)
    )
    return next(strange, None) is None or is_model_folder(folder) or half_saved(folder)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Makes a folder for a moment; what was not there before is gone behind it."""
    new = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in new:
            with suppress(OSError):
                place.rmdir()
