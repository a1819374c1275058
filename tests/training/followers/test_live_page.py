from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from headway.training import History
from headway.training.followers import LivePage, Subject

from .made import add_step, history

module = import_module("headway.training.followers.live_page")

SUBJECT = Subject(
    title="tickets: text classification",
    name="text-classification · a/model",
    kind="single-label",
    epochs=3,
    peak=2e10,
    about={"rows": "40 train"},
    links=[("report.html", "what was measured")],
)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def test_it_is_written_at_the_beginning_now_and_then_and_at_the_end(
    tmp_path: Path, clock: Clock
) -> None:
    path, run = tmp_path / "deep" / "live.html", History()
    page = LivePage(path, SUBJECT, seconds=4)
    page.begin(run, 60)
    assert "0 of 60 steps" in path.read_text("utf-8")
    written = []
    for number in range(1, 31):
        add_step(run, number)
        clock.now += 1
        page.see(run)
        text = path.read_text("utf-8")
        written.append(int(re.search(r"(\d+) of 60 steps", text)[1]))  # type: ignore[index]
        assert 'http-equiv="refresh"' in text
    assert sorted(set(written)) == [0, *range(4, 31, 4)]
    assert "about 32.0 s left" in text  # as of step 28
    page.end(run, "interrupted", "interrupted behind step 30 of 60")
    text = path.read_text("utf-8")
    assert "Interrupted behind step 30 of 60." in text and "refresh" not in text
    assert [found.name for found in path.parent.iterdir()] == ["live.html"]


def test_what_writing_costs_is_bounded(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of half a second and pictures of two: each takes a hundredth of the time at most."""
    times: dict[str, list[float]] = {"page": [], "pictures": []}

    def slow(what: str, seconds: float, result: Any) -> Any:
        def act(*given: Any) -> Any:
            times[what].append(clock.now)
            clock.now += seconds
            return result

        return act

    monkeypatch.setattr(module, "write_live", slow("page", 0.5, None))
    monkeypatch.setattr(module, "live_pictures", slow("pictures", 2.0, []))
    page, run = LivePage(tmp_path / "live.html", SUBJECT), History()
    page.begin(run, 10_000)
    start = clock.now
    for number in range(1, 1001):
        add_step(run, number)
        clock.now += 1
        page.see(run)
    passed = clock.now - start
    assert 15 <= len(times["page"]) <= 0.011 * passed / 0.5 + 2
    assert 4 <= len(times["pictures"]) <= 0.011 * passed / 2 + 3


def test_time_left_counts_all_that_takes_time(tmp_path: Path, clock: Clock) -> None:
    """Ten steps of a run that went on behind 30 took 50 seconds, validation among them."""
    page, run = LivePage(tmp_path / "live.html", SUBJECT), history(30)
    page.begin(run, 100)
    assert "Time left" not in (tmp_path / "live.html").read_text("utf-8")
    for number in range(31, 41):
        add_step(run, number)
    clock.now += 50
    page.see(run)
    text = (tmp_path / "live.html").read_text("utf-8")
    assert "about 5 min 0 s left" in text and "56.0 s so far" in text


def test_a_run_by_the_clock_ends_with_the_clock(tmp_path: Path, clock: Clock) -> None:
    subject = Subject(title="t", name="n", kind="single-label", epochs=3, max_seconds=10)
    page, run = LivePage(tmp_path / "live.html", subject), History()
    page.begin(run, 1000)
    for number in range(1, 26):  # 5 seconds of steps
        add_step(run, number)
    clock.now += 8
    page.see(run)
    text = (tmp_path / "live.html").read_text("utf-8")
    assert "about 5.0 s left" in text and 'aria-valuenow="50.0"' in text


def test_utilisation_where_the_peak_is_known(tmp_path: Path) -> None:
    for peak, known in ((2e10, True), (None, False)):
        subject = Subject(title="t", name="n", kind="single-label", epochs=3, peak=peak)
        page = LivePage(tmp_path / "live.html", subject)
        page.begin(history(10), 100)
        assert ("utilisation 25.0%" in (tmp_path / "live.html").read_text("utf-8")) is known


def test_a_long_run_makes_no_large_page(tmp_path: Path) -> None:
    sizes = []
    for steps in (400, 4000):
        page = LivePage(tmp_path / "live.html", SUBJECT)
        page.begin(history(steps, each=steps // 8), 5000)
        sizes.append((tmp_path / "live.html").stat().st_size)
    assert sizes[1] < 1.2 * sizes[0]
    run = history(4000)
    rows = module._blocks(run)
    assert len(rows) <= 400 and rows[-1]["step"] == 4000
    assert sum(row["tokens"] for row in rows) == run.tokens
    assert sum(row["seconds"] for row in rows) == pytest.approx(run.seconds)


def test_a_step_that_failed(tmp_path: Path) -> None:
    run = history(7)
    page = LivePage(tmp_path / "live.html", SUBJECT)
    page.begin(run, 60)
    run.train.append({"step": 8, "epoch": 1, "loss": float("inf"), "learning_rate": 0.1})
    page.end(run, "failed", "the loss became inf in step 8 of 60")
    text = (tmp_path / "live.html").read_text("utf-8")
    assert "Failed" in text and "The loss became inf in step 8 of 60." in text


def test_a_page_that_cannot_be_written_leaves_the_old_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live.html"
    page = LivePage(path, SUBJECT, seconds=0)
    page.begin(History(), 60)
    before = path.read_text("utf-8")

    def full(self: Path, *given: Any, **more: Any) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    page.next = 0.0
    with pytest.raises(OSError, match="No space"):
        page.see(history(9))
    monkeypatch.undo()
    assert path.read_text("utf-8") == before
    assert [found.name for found in tmp_path.iterdir()] == ["live.html"]
