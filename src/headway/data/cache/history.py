"""What was computed lately, and why: one line of JSON for each result that was made.

It outlives the results, so that a step can be compared with one whose result was cleaned away.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from headway.data.cache.why import changes, nearest_entry

__all__ = ["History", "Made"]

_MOST = 200
_NAME = "history.jsonl"


@dataclass(frozen=True)
class Made:
    """One result that was made.

    Attributes:
        key: of the result.
        parts: what the key was made of.
        when: in seconds since 1970.
        seconds: how long it took.
        rows: of the result, or None where it has none.
        bytes: its size.
        why: the reasons, at least one.
        resumed: whether parts of an earlier attempt were there.
    """

    key: str
    parts: Mapping[str, str]
    when: float
    seconds: float = 0.0
    rows: int | None = None
    bytes: int = 0
    why: list[str] = field(default_factory=list)
    resumed: bool = False


class History:
    """The lines of a folder of results."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _NAME

    def made(self) -> list[Made]:
        """The last results that were made, the newest first; lines that are damaged are not."""
        found = []
        with suppress(OSError):
            for line in self.path.read_text("utf-8", errors="replace").splitlines():
                with suppress(ValueError, TypeError):
                    found.append(Made(**json.loads(line)))
        return found[::-1]

    def add(self, made: Made) -> None:
        """Adds a line; what a full disk refuses is left out."""
        with suppress(OSError), self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
            lines = [*lines[1 - _MOST :], json.dumps(asdict(made))]
            written = self.path.with_suffix(f".{os.getpid()}")
            written.write_text("\n".join(lines) + "\n", "utf-8")
            written.replace(self.path)

    def clear(self) -> None:
        """Forgets everything."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".lock").unlink(missing_ok=True)

    def reasons(self, key: str, parts: Mapping[str, str]) -> list[str]:
        """Why a result that is not there has to be made: what differs from the most like one."""
        before = self.made()
        if any(made.key == key for made in before):
            return ["its result had been cleaned away"]
        like = nearest_entry(parts, before)
        if like is None:
            return ["first time"]
        return [str(change) for change in changes(like.parts, parts)]
