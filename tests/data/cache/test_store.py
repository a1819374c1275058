"""Results on disk: made once, whole or not at all, and not more than may be."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.data.cache import Store, changes, nearest_entry
from headway.errors import OutputError

PARTS = {"step": "map", "data": "1"}


def writing(text: str, size: int = 10) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "rows").write_text(text * size)

    return make


def refuse(folder: Path) -> None:
    raise AssertionError("made again")


def test_a_result_is_made_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.result(PARTS, writing("a"))
    assert store.result(dict(reversed(PARTS.items())), refuse) == path
    assert (path / "rows").read_text() == "a" * 10
    assert store.result({**PARTS, "data": "2"}, writing("b")) != path
    assert {entry.parts["data"] for entry in store.entries()} == {"1", "2"}


def _slow(folder: Path, log: Path) -> None:
    def make(path: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.5)
        (path / "rows").write_text("x")

    Store(folder).result(PARTS, make)


def test_of_two_processes_one_makes_it_and_the_other_waits(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    racers = [context.Process(target=_slow, args=(tmp_path / "s", log)) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    assert [racer.exitcode for racer in racers] == [0] * 4
    assert log.read_text() == "made\n"


def _killed(folder: Path) -> None:
    def make(path: Path) -> None:
        (path / "part-0").write_text("done")
        os.kill(os.getpid(), signal.SIGKILL)

    Store(folder).result(PARTS, make)


def test_parts_of_a_killed_process_are_there_for_the_next(tmp_path: Path) -> None:
    racer = multiprocessing.get_context("fork").Process(target=_killed, args=(tmp_path,))
    racer.start()
    racer.join(30)
    assert racer.exitcode == -signal.SIGKILL
    store = Store(tmp_path)
    assert store.entries() == []

    def go_on(path: Path) -> None:
        assert (path / "part-0").read_text() == "done"
        (path / "part-1").write_text("too")

    path = store.result(PARTS, go_on)
    names = sorted(file.name for file in path.iterdir())
    assert names == ["part-0", "part-1", "step.json"]


def test_an_error_leaves_no_result_and_a_full_disk_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(path: Path) -> None:
        raise ValueError("of the function")

    def full(path: Path) -> None:
        (path / "rows").write_text("half")
        raise OSError(28, "No space left on device")

    def misses(path: Path) -> None:
        (path / "part-0").write_text("done")
        (tmp_path / "words.txt").read_text()

    with pytest.raises(ValueError, match="of the function"):
        store.result(PARTS, fail)
    with pytest.raises(FileNotFoundError, match=r"words\.txt"):
        store.result(PARTS, misses)
    assert [path.name for path in tmp_path.glob(".unfinished-*/*")] == ["part-0"]
    assert store.entries() == []
    with pytest.raises(OutputError, match="No space left"):
        store.result(PARTS, full)
    assert not list(tmp_path.glob(".unfinished-*"))
    assert store.result(PARTS, writing("a")).exists()


def test_what_is_beyond_the_limit_goes_oldest_first(tmp_path: Path) -> None:
    store = Store(tmp_path, most_bytes=2500)
    paths = [store.result({"data": str(i)}, writing("x", 1000)) for i in range(2)]
    os.utime(paths[0] / "step.json", (1, 1))
    os.utime(paths[1] / "step.json", (2, 2))
    third = store.result({"data": "2"}, writing("x", 1000))
    assert [paths[0].exists(), paths[1].exists(), third.exists()] == [False, True, True]
    large = store.result({"data": "3"}, writing("x", 9000))
    assert [entry.path for entry in store.entries()] == [large]


def test_clear(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.result(PARTS, writing("a"))
    (tmp_path / ".unfinished-abc").mkdir()
    assert len(store.clear()) == 1
    assert list(tmp_path.iterdir()) == []


def test_why(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for data, code in (("1", "a"), ("2", "b")):
        store.result({"step": "map", "data": data, "code": code}, writing("x"))
    store.result({"step": "filter", "data": "3", "code": "b"}, writing("x"))
    now = {"step": "map", "data": "3", "code": "b"}
    entry = nearest_entry(now, store.entries())
    assert entry is not None
    assert [str(change) for change in changes(entry.parts, now)] == ["data was 2 and is 3"]
    assert nearest_entry({"step": "sort"}, store.entries()) is None
