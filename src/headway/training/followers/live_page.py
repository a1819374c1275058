"""A page that follows a run in the browser: one file, written anew every few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from headway.reports import write_live
from headway.reports.live import live_pictures
from headway.reports.pictures import Picture
from headway.reports.pictures.curve import MOST_POINTS
from headway.training.loop import History

__all__ = ["LivePage", "Subject"]

SECONDS = 4.0
"""Between two writings at least."""

SHARE = 0.01
"""Most of the run's time that writing takes, and of what drawing the pictures does."""

SECOND = 20.0
"""Seconds between the first pictures and the second ones; those tell what drawing costs."""

LAST = 20
"""Steps that the loss and the throughput that are shown as numbers are means of."""


@dataclass(frozen=True)
class Subject:
    """What the page says of a run besides its history.

    Attributes:
        title: of the page.
        name: of the task and the model, above it.
        kind: of the answers, one of `reports.sheets.SHEETS`.
        epochs: how many there will be.
        max_seconds: of training, behind which it ends; None = it does not.
        peak: floating-point operations a second that the machine can do; None = not known, or not
            to be compared with.
        about: names and values, such as settings.
        links: (file, what it is) of what lies beside the page once the run is done.
    """

    title: str
    name: str
    kind: str
    epochs: int
    max_seconds: float | None = None
    peak: float | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()


class LivePage:
    """live.html of a run: its state, curves, throughput and the time that is left.

    It is a file that the browser reloads; nothing serves it, and it asks for nothing. Where writing
    takes its time it is written less often, and so are its pictures drawn: a run is not slowed down
    by being watched.

    Args:
        path: of the page; its folder is made where there is none.
        subject: what it says besides.
        seconds: between two writings at least.
        share: most of the run's time that writing takes; drawing has another.

    Example:
        LivePage(Path("runs/tickets/live.html"), subject)
    """

    def __init__(
        self, path: Path, subject: Subject, *, seconds: float = SECONDS, share: float = SHARE
    ) -> None:
        self.path, self.about = path, str(path)
        self.subject, self.seconds, self.share = subject, seconds, share

    def begin(self, history: History, total: int) -> None:
        """Writes the page of a run that has just begun."""
        self.total, self.first, self.before = total, history.step, history.seconds
        self.start, self.next, self.redraw = time.monotonic(), 0.0, 0.0
        self.pictures: list[Picture] = []
        self.drawn = 0
        self._write(history, "running", "")

    def see(self, history: History) -> None:
        """Writes it where it is time to."""
        if time.monotonic() >= self.next:
            self._write(history, "running", "")

    def end(self, history: History, state: str, why: str) -> None:
        """Writes it once more; it does not reload from then on."""
        self._write(history, state, why)

    def _write(self, history: History, state: str, why: str) -> None:
        curve: dict[str, Any] = {"train": _blocks(history), "validation": history.validation}
        if history.step > self.drawn and (state != "running" or time.monotonic() >= self.redraw):
            self._draw(curve, history.step)
        start = time.monotonic()
        report = self._report(history, state, why) | {"curve": curve, "drawn": self.drawn}
        write_live(report, self.path, self.pictures)
        self.next = _next(start, self.seconds, self.share)

    def _draw(self, curve: dict[str, Any], step: int) -> None:
        start = time.monotonic()
        self.pictures = live_pictures({"kind": self.subject.kind, "curve": curve})
        # The first ones load what draws them, which says nothing of the next ones.
        now = time.monotonic()
        self.redraw = _next(start, 0.0, self.share) if self.drawn else now + SECOND
        self.drawn = step

    def _report(self, history: History, state: str, why: str) -> dict[str, Any]:
        subject = self.subject
        share = min(1.0, history.step / max(1, self.total))
        if subject.max_seconds is not None:
            share = max(share, min(1.0, history.seconds / subject.max_seconds))
        passed = time.monotonic() - self.start
        return {
            "title": subject.title,
            "subject": subject.name,
            "kind": subject.kind,
            "state": state,
            "why": why,
            "step": history.step,
            "total": self.total,
            "epoch": history.train[-1]["epoch"] if history.train else 1,
            "epochs": subject.epochs,
            "share": share,
            "left": self._left(history, passed),
            "passed": self.before + passed,
            "utilisation": history.flops / history.seconds / subject.peak
            if subject.peak and history.flops and history.seconds
            else None,
            "last": _timed(history, max(0, history.step - LAST), history.step),
            "written": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %Z"),
            "about": list(subject.about.items()),
            "links": subject.links if state == "done" else [],
        }

    def _left(self, history: History, passed: float) -> float | None:
        """Seconds, by what the steps so far took with all around them."""
        done = history.step - self.first
        if not done:
            return None
        left = (self.total - history.step) * passed / done
        if self.subject.max_seconds is not None:
            left = min(left, max(0.0, self.subject.max_seconds - history.seconds))
        return left


def _next(start: float, seconds: float, share: float) -> float:
    """When to do something again that took from `start` until now."""
    now = time.monotonic()
    return now + max(seconds, (now - start) / share)


def _timed(history: History, start: int, end: int) -> list[dict[str, float]]:
    """Some steps with their seconds; one that failed has none."""
    rows, timings = history.train[start:end], history.timings[start:end]
    timed = [{**row, "seconds": seconds} for row, seconds in zip(rows, timings, strict=False)]
    return timed + rows[len(timed) :]


def _blocks(history: History) -> list[dict[str, float]]:
    """Steps as a picture can hold them: of a long run several become one."""
    size = max(1, -(-history.step // MOST_POINTS))
    if size == 1:
        return _timed(history, 0, history.step)
    found = []
    for start in range(0, history.step, size):
        rows = _timed(history, start, start + size)
        found.append(
            {
                **rows[-1],
                "loss": sum(row["loss"] for row in rows) / len(rows),
                "tokens": sum(row.get("tokens", 0) for row in rows),
                "seconds": sum(row.get("seconds", 0.0) for row in rows),
            }
        )
    return found
