"""Results of steps on disk: each in a folder named after its key, whole or not at all.

    steps/KEY/step.json        what the key was made of; its time is that of the last use
    steps/KEY/part-00000.arrow rows, in parts
    steps/.unfinished-KEY/     parts of a result that is being made, or whose maker was killed
    steps/KEY.lock             held by whoever makes it; free again when that process ends
    steps/history.jsonl        what was made lately, and why
    steps/files.json           hashes of files that were read

Of two processes that want one result, one makes it and the other waits. Parts that a killed process
has finished are used by the next one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from headway.config import cache_folder
from headway.data.cache.flush import flush
from headway.data.cache.history import History, Made
from headway.data.cache.lock import alone
from headway.errors import OutputError, said_by_system
from headway.logs import log

__all__ = ["Entry", "Store", "key_of"]

_UNFINISHED = ".unfinished-"
_FACTS = "step.json"
_MOST_BYTES = 20 * 10**9
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, a share of it, the largest file


def key_of(parts: Mapping[str, str]) -> str:
    """The key that some parts make, in any order: 32 hexadecimal digits.

    >>> key_of({"data": "1", "step": "map"}) == key_of({"step": "map", "data": "1"})
    True
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Entry:
    """A result on disk.

    Attributes:
        key: its name.
        path: its folder.
        parts: what the key was made of.
        bytes: its size.
        used: when it was last asked for, in seconds since 1970.
    """

    key: str
    path: Path
    parts: Mapping[str, str]
    bytes: int
    used: float


class Store:
    """The results of steps in a folder.

    Args:
        folder: where they are; `steps` in the cache folder if it is not said.
        most_bytes: how much they may take together. Beyond it, those that have not been used for
            the longest time are removed when another one is added.
    """

    def __init__(self, folder: str | Path | None = None, most_bytes: int = _MOST_BYTES) -> None:
        self.folder = Path(folder) if folder is not None else cache_folder() / "steps"
        self.most_bytes = most_bytes
        self.history = History(self.folder)

    def result(self, parts: Mapping[str, str], make: Callable[[Path], int | None]) -> Path:
        """The folder with the result of a step, which `make` fills if it is not there.

        Args:
            parts: what the result depends on, by name.
            make: writes the result into a folder, in which there may be finished parts of an
                earlier attempt; gives the number of rows, if there are any.

        Raises:
            OutputError: it cannot be written, or the disk is full; then nothing of it is kept.
            Whatever `make` raises.
        """
        key = key_of(parts)
        path = self.folder / key
        if self._touch(path):
            return path
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._not_writable(error) from error
        with self._alone(key):
            if not self._touch(path):  # somebody else may have made it meanwhile
                self._make(path, parts, make)
        self.clean(keep=key)
        return path

    def entries(self) -> list[Entry]:
        """All results, the last used first."""
        found = []
        for facts in self.folder.glob(f"*/{_FACTS}"):
            if facts.parent.name.startswith(_UNFINISHED):
                continue
            with suppress(OSError, ValueError):  # removed by somebody else meanwhile
                said = json.loads(facts.read_text("utf-8"))
                found.append(
                    Entry(
                        facts.parent.name,
                        facts.parent,
                        said["parts"],
                        said["bytes"],
                        facts.stat().st_mtime,
                    )
                )
        return sorted(found, key=lambda entry: -entry.used)

    def clean(self, *, keep: str = "") -> list[Entry]:
        """Removes what is beyond the limit and not `keep`, and gives it back.

        A result that is still open elsewhere can be read to its end.
        """
        total, removed = 0, []
        for entry in self.entries():
            total += entry.bytes
            if total > self.most_bytes and entry.key != keep:
                self._remove(entry.key)
                removed.append(entry)
        return removed

    def clear(self) -> list[Entry]:
        """Removes all results, and what killed processes have left."""
        entries = self.entries()
        for entry in entries:
            self._remove(entry.key)
        for left in self.folder.glob(f"{_UNFINISHED}*"):
            key = left.name.removeprefix(_UNFINISHED)
            with self._alone(key):
                shutil.rmtree(left, ignore_errors=True)
            self._remove(key)
        self.history.clear()
        (self.folder / "files.json").unlink(missing_ok=True)
        return entries

    def _touch(self, path: Path) -> bool:
        """Whether a result is there; its last use is now."""
        try:
            os.utime(path / _FACTS)
        except OSError:
            return False
        return True

    def _make(
        self, path: Path, parts: Mapping[str, str], make: Callable[[Path], int | None]
    ) -> None:
        unfinished = self.folder / f"{_UNFINISHED}{path.name}"
        unfinished.mkdir(exist_ok=True)
        why, start = self.history.reasons(path.name, parts), time.time()
        resumed = any(unfinished.iterdir())
        log.info("%s: %s", parts.get("step", "step"), ", ".join(why))
        try:
            rows = make(unfinished)
            size = self._finish(unfinished, path, parts)
        except OSError as error:
            if error.errno not in _FULL:
                raise  # of the function, whose file may be missing
            shutil.rmtree(unfinished, ignore_errors=True)
            raise self._not_writable(error) from error
        seconds = time.time() - start
        self.history.add(
            Made(path.name, dict(parts), start, round(seconds, 3), rows, size, why, resumed)
        )

    def _finish(self, unfinished: Path, path: Path, parts: Mapping[str, str]) -> int:
        size = sum(file.stat().st_size for file in unfinished.iterdir())
        facts = {"parts": dict(parts), "bytes": size, "made": time.strftime("%Y-%m-%dT%H:%M:%S")}
        written = unfinished / _FACTS
        written.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
        for file in unfinished.iterdir():
            flush(file)
        flush(unfinished)
        unfinished.rename(path)
        flush(self.folder)
        return size

    def _remove(self, key: str) -> None:
        with suppress(OSError):
            (self.folder / key / _FACTS).unlink(missing_ok=True)  # from here on it is not there
            shutil.rmtree(self.folder / key, ignore_errors=True)
            (self.folder / f"{key}.lock").unlink(missing_ok=True)

    def _alone(self, key: str) -> AbstractContextManager[None]:
        """Holds the lock of a key."""
        return alone(self.folder / f"{key}.lock", self._not_writable)

    def _not_writable(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.folder} cannot be written: {said_by_system(error)}",
            next_step="free some space, or set HEADWAY_CACHE to another folder",
        )
