from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from headway.errors import ConfigError
from headway.training import History
from headway.training.followers import TensorBoard

from .made import add_step, history


def events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (step, value) of each event, as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    tags = found.Tags()["scalars"]
    return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in tags}


def wanted(run: History) -> dict[str, list[tuple[int, float]]]:
    return {
        **{
            f"train/{name}": [(int(row["step"]), row[name]) for row in run.train]
            for name in ("loss", "learning_rate")
        },
        "train/tokens_per_second": [(int(row["step"]), 500.0) for row in run.train],
        "validation/accuracy": [(int(row["step"]), row["accuracy"]) for row in run.validation],
    }


def same(found: dict[str, Any], right: dict[str, Any]) -> bool:
    return found.keys() == right.keys() and all(
        [step for step, _ in found[tag]] == [step for step, _ in right[tag]]
        and [value for _, value in found[tag]] == pytest.approx([value for _, value in right[tag]])
        for tag in right
    )


def test_every_step_and_validation_is_an_event(tmp_path: Path) -> None:
    run, follower = History(), TensorBoard(tmp_path / "events")
    follower.begin(run, 30)
    for number in range(1, 31):
        add_step(run, number)
        if number % 10 == 0:
            run.validation.append(history(30).validation[number // 10 - 1])
        follower.see(run)
    follower.end(run, "done", "")
    assert same(events(tmp_path / "events"), wanted(history(30)))


def test_a_run_that_goes_on_has_each_step_once(tmp_path: Path) -> None:
    killed = TensorBoard(tmp_path)
    killed.begin(history(27), 30)
    killed.end(history(27), "failed", "killed")
    again, run = TensorBoard(tmp_path), history(20)
    again.begin(run, 30)
    whole = history(30)
    run.train, run.timings, run.validation = whole.train, whole.timings, whole.validation
    again.end(run, "done", "")
    assert same(events(tmp_path), wanted(whole))


def test_other_files_in_the_folder_are_left(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    follower = TensorBoard(tmp_path)
    follower.begin(history(2), 2)
    follower.end(history(2), "done", "")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_is_no_number_is_no_event(tmp_path: Path) -> None:
    run = history(1)
    run.train.append({"step": 2, "epoch": 1, "loss": float("nan"), "learning_rate": 0.5})
    follower = TensorBoard(tmp_path)
    follower.begin(run, 9)
    follower.end(run, "failed", "the loss became nan")
    found = events(tmp_path)
    assert [step for step, _ in found["train/loss"]] == [1]
    assert found["train/learning_rate"][-1] == (2, 0.5)


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    follower = TensorBoard(tmp_path / "file" / "events")
    with pytest.raises(OSError, match="file"):
        follower.begin(History(), 1)
    follower.end(History(), "done", "")


def test_without_the_package_pip_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'headway\[tensorboard\]'"):
        TensorBoard(tmp_path)
