from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.training import History
from headway.training.followers import Journal
from headway.training.followers.journal import lines_of

from .made import add_step, history


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_step_is_there_as_soon_as_it_is_taken(tmp_path: Path) -> None:
    path, run = tmp_path / "deep" / "log.jsonl", History()
    journal = Journal(path)
    journal.begin(run, 5)
    assert read(path) == []
    for number in range(1, 6):
        add_step(run, number)
        journal.see(run)
        assert [row["step"] for row in read(path)] == list(range(1, number + 1))
    assert set(read(path)[0]) == {"step", "epoch", "loss", "learning_rate", "tokens", "seconds"}
    run.validation.append({"step": 5, "epoch": 1, "accuracy": 0.5})
    journal.see(run)
    journal.see(run)
    assert read(path)[-1] == {"step": 5, "epoch": 1, "accuracy": 0.5} and len(read(path)) == 6
    journal.end(run, "done", "")
    assert path.read_text("utf-8") == "".join(lines_of(run))


def test_a_run_that_goes_on_loses_the_lines_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    killed = Journal(path)
    killed.begin(History(), 40)
    killed.see(history(35))
    killed._close()
    with path.open("a") as file:
        file.write('{"step": 36, "lo')  # it died in the middle of a line
    run = history(20)
    again = Journal(path)
    again.begin(run, 40)
    assert read(path)[-1]["step"] == 20
    for number in range(21, 41):
        add_step(run, number)
        if number % 10 == 0:
            run.validation.append(history(40).validation[number // 10 - 1])
        again.see(run)
    again.end(run, "done", "")
    assert path.read_text("utf-8") == "".join(lines_of(history(40)))


def test_the_step_that_failed_is_told_without_what_it_does_not_have(tmp_path: Path) -> None:
    path, run = tmp_path / "log.jsonl", history(3)
    journal = Journal(path)
    journal.begin(run, 9)
    run.train.append({"step": 4, "epoch": 1, "loss": float("nan"), "learning_rate": 0.1})
    journal.end(run, "failed", "the loss became nan")
    assert read(path)[-1] == {"step": 4, "epoch": 1, "loss": None, "learning_rate": 0.1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_what_could_not_be_written_is_in_the_end(tmp_path: Path) -> None:
    path, run = tmp_path / "log.jsonl", history(3)
    journal = Journal(Path("/dev/full"))
    journal.begin(History(), 9)
    with pytest.raises(OSError, match="No space left"):
        journal.see(run)
    journal.path = path  # there is room again
    journal.end(run, "done", "")
    assert path.read_text("utf-8") == "".join(lines_of(run))


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file"):
        Journal(tmp_path / "file" / "log.jsonl").begin(History(), 1)


def test_a_step_costs_as_much_at_the_end_as_at_the_beginning() -> None:
    """Only what is new is looked at."""
    run = history(50)
    assert [json.loads(line)["step"] for line in lines_of(run, steps=48, validations=4)] == [
        49, 50, 50,
    ]  # fmt: skip
