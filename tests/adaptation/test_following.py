"""A run that is followed: its log, its page and its event files, whatever its end."""

from __future__ import annotations

import json
import os
import signal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from training.followers.test_tensorboard import events
from training.tiny import rows, tiny_model

from headway import load
from headway.adaptation import Result
from headway.errors import ConfigError
from headway.model import Model
from headway.tasks import text_classification as classifying
from headway.training import History
from headway.training.collate import Batch, text_logits
from headway.training.followers import Journal, LivePage
from headway.training.followers.journal import lines_of
from headway.training.keeper import Keeper

from .quick import changed, quick

fitting = import_module("headway.adaptation.fit")
live_page = import_module("headway.training.followers.live_page")

RUN: dict[str, Any] = {"epochs": 3, "batch_tokens": 60, "validation": 0.2, "lr": 3e-3,
                       "patience": 99, "probe": False}  # fmt: skip


def run(out: Path | None, **settings: Any) -> Result:
    """Dropout is in it, and about seven steps an epoch."""
    return quick(tiny_model(), rows(n=60), out=out, **{**RUN, **settings})


def lines(path: Path) -> list[dict[str, Any]]:
    """What a log says, but for the time that it took."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [{name: row[name] for name in row if name != "seconds"} for row in found]


def page(out: Path) -> str:
    return (out / "live.html").read_text("utf-8")


def validated(result: Result) -> list[int]:
    return [int(row["step"]) for row in result.report["curve"]["validation"]]


class Killed(BaseException):
    """As sudden as a signal."""


def killed_behind(out: Path, step: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """A run that keeps every state, and is killed behind the step that follows one."""
    real = Keeper.after_step

    def after_step(self: Keeper, history: History) -> None:
        if history.step > step:
            raise Killed
        real(self, history)

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "after_step", after_step)
        # A killed run says nothing of its end.
        patched.setattr(Journal, "end", lambda self, *told: self._close())
        patched.setattr(LivePage, "end", lambda *told: None)
        with pytest.raises(Killed):
            run(out, save_every=0, **settings)


def test_log_and_page_of_a_run_that_is_done(tmp_path: Path) -> None:
    result = run(tmp_path / "run")
    curve = result.report["curve"]
    log = lines(tmp_path / "run" / "metrics.jsonl")
    assert [row for row in log if "loss" in row] == curve["train"]
    assert [row for row in log if "accuracy" in row] == curve["validation"]
    assert [row["step"] for row in log] == sorted(row["step"] for row in log)
    assert sum(row["tokens"] for row in curve["train"]) > 0
    assert not (tmp_path / "run" / "training").exists()
    text = page(tmp_path / "run")
    total = len(curve["train"])
    assert f"{total} of {total} steps were taken" in text and "refresh" not in text
    assert 'href="report.html"' in text and text.count("<svg") == 2


def test_the_page_has_the_numbers_that_were_decided_last(tmp_path: Path) -> None:
    result = run(tmp_path / "run", find_lr=True, lr=None)
    assert f">{result.report['settings']['learning_rate']}<" in page(tmp_path / "run")


def test_every_step_is_in_the_log_when_the_next_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    log = tmp_path / "run" / "training" / "metrics.jsonl"

    def noted(model: Model, batch: Batch) -> Tensor:
        seen.append(len([row for row in lines(log) if "loss" in row]))
        assert "Running" in page(tmp_path / "run")
        return text_logits(model, batch)

    monkeypatch.setattr(classifying, "text_logits", noted)
    run(tmp_path / "run", validation=0.0)
    assert seen == list(range(len(seen))) and len(seen) > 10


@pytest.mark.parametrize(("every", "step"), [(None, 11), (3, 1), (3, 9), (4, 7)])
def test_a_resumed_run_ends_as_the_uninterrupted_one(
    every: int | None, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, validations in the middle of an epoch, the log, and the event files."""
    settings = {"validate_every": every, "average": 0.8, "tensorboard": every == 3}
    whole = run(tmp_path / "whole", **settings)
    killed_behind(tmp_path / "run", step, monkeypatch, **settings)
    log = tmp_path / "run" / "training" / "metrics.jsonl"
    assert lines(log)[-1]["step"] == step + 1  # a step more than is kept
    torch.manual_seed(7)
    again = run(tmp_path / "run", resume=True, **settings)
    assert not changed(load(tmp_path / "run"), load(tmp_path / "whole"))
    assert lines(tmp_path / "run" / "metrics.jsonl") == lines(tmp_path / "whole" / "metrics.jsonl")
    assert again.report["curve"] == whole.report["curve"]
    assert again.report["test"] == whole.report["test"]
    if every == 3:
        found, right = (events(tmp_path / name / "tensorboard") for name in ("run", "whole"))
        for tag in ("train/loss", "train/learning_rate", "validation/accuracy"):
            assert found[tag] == right[tag]


def test_the_log_of_a_resumed_run_has_no_line_of_what_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_behind(tmp_path / "run", 4, monkeypatch)
    seen: list[int] = []
    real = LivePage.begin

    def begin(self: LivePage, history: History, total: int) -> None:
        log = lines(tmp_path / "run" / "training" / "metrics.jsonl")
        seen.extend(row["step"] for row in log)
        real(self, history, total)

    monkeypatch.setattr(LivePage, "begin", begin)
    run(tmp_path / "run", resume=True)
    assert seen == [1, 2, 3, 4]


def test_validations_in_the_middle_of_an_epoch_change_nothing_that_is_drawn() -> None:
    """Not the modes of what is trained, or held, either."""
    for method in ("full", "lora", "gradual"):
        usual = run(None, method=method, keep="last")
        often = run(None, method=method, keep="last", validate_every=1)
        assert not changed(usual.model, often.model), method
        losses = [[row["loss"] for row in one.report["curve"]["train"]] for one in (usual, often)]
        assert losses[0] == losses[1]
        assert len(validated(often)) == len(losses[1]) > len(validated(usual)) == 3


def test_validations_by_steps_are_behind_these_steps_and_the_last(tmp_path: Path) -> None:
    result = run(None, validate_every=4)
    last = len(result.report["curve"]["train"])
    assert validated(result) == sorted({*range(4, last + 1, 4), last})
    by_epoch = validated(run(None))
    assert len(by_epoch) == 3 and by_epoch[-1] == last


def test_validations_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    often = run(None, validate_seconds=1e-9)
    assert validated(often) == list(range(1, len(often.report["curve"]["train"]) + 1))
    seldom = run(None, validate_seconds=1e9)
    assert validated(seldom) == [len(seldom.report["curve"]["train"])]


def test_patience_counts_validations(monkeypatch: pytest.MonkeyPatch) -> None:
    states = []
    original = fitting.Best.see

    def see(self: Any, score: float) -> bool:
        states.append([p.detach().clone() for p in self.module.parameters()][-1])
        return original(self, {1: 0.5, 2: 0.9}.get(len(states), 0.1))

    monkeypatch.setattr(fitting.Best, "see", see)
    result = run(None, validate_every=2, patience=3)
    assert validated(result) == [2, 4, 6, 8, 10]
    assert result.stopped == "no better validation score: ended behind step 10"
    assert len(result.report["curve"]["train"]) == 10 and not result.interrupted
    kept = "the state behind step 4, in epoch 1, was kept: the best on the validation rows"
    assert result.report["notes"][-2:] == [result.stopped, kept]
    assert torch.equal(list(result.model.parameters())[-1], states[1])


def test_ctrl_c_while_the_validation_that_ends_it_runs_does_not_lengthen_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on was at its end already."""
    original, scores = fitting.Best.see, {1: 0.9}

    def see(self: Any, score: float) -> bool:
        return original(self, scores.get(self.seen + 1, 0.1))

    monkeypatch.setattr(fitting.Best, "see", see)
    settings = {"validate_every": 2, "patience": 2}
    whole = run(tmp_path / "whole", **settings)
    assert validated(whole) == [2, 4, 6]

    def pressed(self: Any, score: float) -> bool:
        if self.seen == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return see(self, score)

    with monkeypatch.context() as patched:
        patched.setattr(fitting.Best, "see", pressed)
        assert run(tmp_path / "run", **settings).interrupted
    again = run(tmp_path / "run", resume=True, **settings)
    assert again.stopped == whole.stopped and validated(again) == [2, 4, 6]
    assert not changed(again.model, whole.model)


def test_the_last_state_is_kept_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fitting.Best.see
    # The first validation is the best one.
    monkeypatch.setattr(fitting.Best, "see", lambda self, score: original(self, -self.seen))
    best, last = run(None), run(None, keep="last")
    assert changed(best.model, last.model)
    plain = run(None, validation=0.2, keep="last", patience=50)
    assert not changed(last.model, plain.model)
    assert not any("was kept" in note for note in last.report["notes"])
    ended = run(None, keep="last", patience=1)  # it still ends early
    assert validated(ended) == validated(last)[:2] and ended.stopped


def test_nothing_to_validate_is_said() -> None:
    for name, value in (("validate_every", 3), ("validate_seconds", 2.0)):
        with pytest.raises(ConfigError, match=f"{name} = {value} without validation rows"):
            run(None, **{name: value, "validation": 0.0})
    with pytest.raises(ConfigError, match=r"validate_every = 3 with validate_seconds = 2"):
        run(None, validate_every=3, validate_seconds=2)


def test_ctrl_c_is_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Keeper.after_step

    def after_step(self: Keeper, history: History) -> None:
        if history.step == 5:
            os.kill(os.getpid(), signal.SIGINT)
        real(self, history)

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "after_step", after_step)
        assert run(tmp_path / "run").interrupted
    text = page(tmp_path / "run")
    assert "Interrupted behind step 5 of" in text and "refresh" not in text
    folder = tmp_path / "run"
    assert lines(folder / "training" / "metrics.jsonl") == lines(folder / "metrics.jsonl")
    assert run(folder, resume=True).report
    assert "steps were taken" in page(folder)


def test_a_loss_without_end_is_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Batch] = []

    def broken(model: Model, batch: Batch) -> Tensor:
        steps.append(batch)
        return text_logits(model, batch) * (float("nan") if len(steps) == 4 else 1.0)

    monkeypatch.setattr(classifying, "text_logits", broken)
    with pytest.raises(ConfigError, match="loss became nan"):
        run(tmp_path / "run")
    text = page(tmp_path / "run")
    assert "The loss became nan in step 4 of" in text and "Failed" in text
    assert lines(tmp_path / "run" / "metrics.jsonl")[-1]["loss"] is None


def test_another_error_is_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: Model, batch: Batch) -> Tensor:
        raise MemoryError("not enough")

    monkeypatch.setattr(classifying, "text_logits", broken)
    with pytest.raises(MemoryError):
        run(tmp_path / "run")
    assert "Failed" in page(tmp_path / "run") and "Not enough." in page(tmp_path / "run")


@pytest.mark.parametrize("broken", ["log", "page"])
def test_a_full_disk_does_not_end_a_run(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*given: Any) -> None:
        if isinstance(given[0], Journal):
            given[0]._close()
        raise OSError(28, "No space left on device")

    if broken == "log":
        monkeypatch.setattr(Journal, "see", full)
    else:
        monkeypatch.setattr(live_page, "write_live", full)
    result = run(tmp_path / "run")
    assert result.report and not changed(load(tmp_path / "run"), result.model)
    said = [one for one in caplog.messages if "is not written: No space left on device" in one]
    assert len(said) == 1
    total = len(result.report["curve"]["train"])
    assert len([row for row in lines(tmp_path / "run" / "metrics.jsonl") if "loss" in row]) == total
    assert (tmp_path / "run" / "live.html").exists() is (broken == "log")


def test_a_folder_that_nobody_may_write_does_not_end_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file where the folder of the run on its way would be."""
    run(tmp_path / "run")
    (tmp_path / "run" / "training").write_text("in the way")
    assert run(tmp_path / "run").report
    assert sum("metrics.jsonl is not written" in one for one in caplog.messages) == 1


def test_what_a_killed_run_left_is_no_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_behind(tmp_path / "run", 3, monkeypatch, tensorboard=True)
    (tmp_path / "run" / ".live.html.123.tmp").write_text("half")
    there = {path.name for path in (tmp_path / "run").iterdir()}
    assert there == {".live.html.123.tmp", "live.html", "tensorboard", "training"}
    assert "Running" in page(tmp_path / "run")
    assert run(tmp_path / "run").report
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert not left & {".live.html.123.tmp", "tensorboard", "training"} and "live.html" in left


def test_event_files_are_those_of_the_run(tmp_path: Path) -> None:
    for seed in (1, 2):
        report = run(tmp_path / "run", tensorboard=True, seed=seed).report
    found = events(tmp_path / "run" / "tensorboard")
    steps = report["curve"]["train"]
    assert found["train/loss"] == [(row["step"], pytest.approx(row["loss"])) for row in steps]
    scores = report["curve"]["validation"]
    assert found["validation/accuracy"] == [
        (row["step"], pytest.approx(row["accuracy"])) for row in scores
    ]
    run(tmp_path / "run")
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_event_files_need_a_folder() -> None:
    with pytest.raises(ConfigError, match="tensorboard = True without out"):
        run(None, tensorboard=True)


def test_following_changes_nothing(tmp_path: Path) -> None:
    alone = run(None)
    followed = run(tmp_path / "run", tensorboard=True)
    assert not changed(alone.model, followed.model)
    assert alone.report["curve"] == followed.report["curve"]


def test_the_log_is_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = Journal.end

    def end(self: Journal, history: History, state: str, why: str) -> None:
        real(self, history, state, why)
        seen.extend([self.path.read_text("utf-8"), "".join(lines_of(history))])

    monkeypatch.setattr(Journal, "end", end)
    run(tmp_path / "run", validate_every=2)
    assert seen[0] == seen[1] == (tmp_path / "run" / "metrics.jsonl").read_text("utf-8")
