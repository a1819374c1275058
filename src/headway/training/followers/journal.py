"""What happened in a run as JSON lines, written behind each step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any, TextIO

from headway.reports.plain import plain
from headway.training.loop import History

__all__ = ["Journal", "lines_of"]


def lines_of(history: History, *, steps: int = 0, validations: int = 0) -> Iterator[str]:
    """The lines of a history: one a step, with its seconds, and behind it that of its validation.

    Args:
        history: of a run.
        steps: how many are left out, the first ones.
        validations: the same.

    >>> history = History(train=[{"step": 1, "loss": 0.5}], timings=[0.25])
    >>> list(lines_of(history))
    ['{"step": 1, "loss": 0.5, "seconds": 0.25}\\n']
    """
    pairs = zip_longest(history.train[steps:], history.timings[steps:])
    rows: list[dict[str, Any]] = [
        row if seconds is None else {**row, "seconds": seconds} for row, seconds in pairs
    ]
    rows += history.validation[validations:]
    for row in sorted(rows, key=lambda row: row["step"]):  # stable: the step, then its validation
        yield json.dumps(plain(row)) + "\n"


class Journal:
    """A file of JSON lines that has each step as soon as it is taken.

    A run that goes on writes it anew from its history: what a run that was killed wrote behind the
    step that it goes on from is gone, and the file is that of a run that was never away.

    Args:
        path: of the file; its folder is made where there is none.

    Example:
        Journal(Path("runs/tickets/training/metrics.jsonl"))
    """

    def __init__(self, path: Path) -> None:
        self.path, self.about = path, str(path)
        self.file: TextIO | None = None
        self.steps = self.validations = 0  # that are written

    def begin(self, history: History, total: int) -> None:
        """Writes what is behind the run, most often nothing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("w", encoding="utf-8")
        self.steps = self.validations = 0
        self.see(history)

    def see(self, history: History) -> None:
        """Adds what is new."""
        new = "".join(lines_of(history, steps=self.steps, validations=self.validations))
        if new and self.file is not None:
            try:
                self.file.write(new)
                self.file.flush()
            except OSError:
                self._close()
                raise
            self.steps, self.validations = len(history.train), len(history.validation)

    def end(self, history: History, state: str, why: str) -> None:
        """Adds the rest; where something could not be written, all of it is, once more."""
        if self.file is None:
            self.begin(history, history.step)
        self.see(history)
        self._close()

    def _close(self) -> None:
        if self.file is not None:
            with suppress(OSError):  # what is left in its buffer, and has been told
                self.file.close()
        self.file = None
