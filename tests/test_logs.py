"""Progress: a bar for work that takes long and is watched, and nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

import pytest

from headway import logs
from headway.logs import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when told."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(logs, "time", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def work(monkeypatch: pytest.MonkeyPatch, clock: Clock, count: int, seconds: float) -> str:
    """What a terminal shows of so many items that take so long each."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    found = []
    for item in progress(range(count), "Reading"):
        clock.now += seconds
        found.append(item)
    assert found == list(range(count))
    return shown.getvalue()


@pytest.mark.parametrize(
    ("count", "seconds", "bar"),
    [(0, 0, False), (1, 9, False), (2, 0.2, False), (2, 0.6, True), (90, 0.01, True)],
)
def test_a_bar_comes_with_the_second_item_once_work_takes_long(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, count: int, seconds: float, bar: bool
) -> None:
    assert ("Reading" in work(monkeypatch, clock, count, seconds)) == bar


def test_it_counts_what_was_done_before_it(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    assert "50%" in work(monkeypatch, clock, 2, 0.6)


def test_any_iterable_is_taken(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())

    def slow() -> Iterator[int]:
        for n in range(3):
            clock.now += 1
            yield n

    assert list(progress(slow(), "Reading")) == [0, 1, 2]
    assert list(progress(slow(), "Reading", total=3)) == [0, 1, 2]


def test_nothing_is_shown_where_nobody_looks(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in progress(range(3), "Reading"):
        clock.now += 9
    assert capsys.readouterr().err == ""


def test_short_work_brings_no_rich() -> None:
    program = (
        "import sys; from headway.logs import progress; sys.stderr.isatty = lambda: True; "
        "assert list(progress(range(9), 'Reading')) == list(range(9)); "
        "assert 'rich' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
