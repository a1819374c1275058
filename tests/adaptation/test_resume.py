"""A run that is killed goes on, and ends as the one that was not: bit for bit."""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from training.every_task import EVERY_TASK
from training.tiny import rows, tiny_model, words_tokenizer

from headway import load
from headway.adaptation import Result
from headway.adaptation.methods import METHODS
from headway.adaptation.steps import learning
from headway.checkpoints.folders import HIDDEN
from headway.core.dropout import Dropout
from headway.errors import ConfigError
from headway.model import Model
from headway.tokenizer import Tokenizer
from headway.training import states as keeping
from headway.training.best import Best
from headway.training.chance import generator_for
from headway.training.collate import epoch_batches
from headway.training.keeper import Keeper, kept_threads
from headway.training.loop import History
from headway.training.threads import computing_with

from .quick import quick

RUN: dict[str, Any] = {"epochs": 4, "batch_tokens": 60, "micro_batch_tokens": 30, "validation": 0.2,
                       "lr": 3e-3, "patience": 4, "save_every": 0, "average": 0.8}  # fmt: skip


def run(out: Path, **settings: Any) -> Result:
    """Dropout and validation are in it, and parts of steps."""
    model = tiny_model()
    assert any(isinstance(module, Dropout) and module.rate > 0 for module in model.modules())
    return quick(model, rows(n=60), out=out, **{**RUN, **settings})


def learned(out: Path) -> dict[str, torch.Tensor]:
    return dict(load(out).state_dict())


def steps(out: Path) -> list[dict[str, Any]]:
    """What happened, but for the time that it took."""
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


class Killed(BaseException):
    """As sudden as a signal: nothing that cleans up runs behind it."""


def killed_behind(out: Path, step: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """A run that ends in the middle of a step, or where a state is written."""
    real = Keeper.after_step

    def after_step(self: Keeper, history: History) -> None:
        real(self, history)
        if history.step == step:
            raise Killed

    monkeypatch.setattr(Keeper, "after_step", after_step)
    with pytest.raises(Killed):
        run(out, **settings)
    monkeypatch.setattr(Keeper, "after_step", real)


@pytest.mark.parametrize("name", METHODS)
def test_every_way_to_adapt_goes_on_to_the_same_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What learns beside or behind the weights is kept and goes on as they do."""
    run(tmp_path / "whole", method=name)
    wanted = learned(tmp_path / "whole")
    step = max(row["step"] for row in steps(tmp_path / "whole")) // 2
    killed_behind(tmp_path / "killed", step, monkeypatch, method=name)
    assert (tmp_path / "killed" / "training" / f"step-{step:08d}").is_dir()
    run(tmp_path / "killed", method=name, resume=True)
    found = learned(tmp_path / "killed")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[key], value) for key, value in wanted.items())


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9, 1.0])
def test_a_resumed_run_ends_as_the_uninterrupted_one(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "whole")
    whole, wanted = learned(tmp_path / "whole"), steps(tmp_path / "whole")
    last = max(row["step"] for row in wanted)
    killed_behind(tmp_path / "killed", max(1, round(share * last)), monkeypatch)
    assert not (tmp_path / "killed" / "config.json").exists()
    torch.manual_seed(99)
    run(tmp_path / "killed", resume=True)
    assert steps(tmp_path / "killed") == wanted
    found = learned(tmp_path / "killed")
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
    assert not (tmp_path / "killed" / "training").exists()  # a run that is done needs it no more


def test_moments_of_a_byte_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optimiser = importlib.import_module("headway.training.optimisers.adamw8bit")
    monkeypatch.setattr(optimiser, "SMALL", 2)
    run(tmp_path / "whole", optimiser="adamw8bit")
    killed_behind(tmp_path / "killed", 3, monkeypatch, optimiser="adamw8bit")
    (kept,) = (tmp_path / "killed" / "training").glob("step-*3/optimiser.safetensors")
    assert {value.dtype for name, value in load_file(kept).items() if name.endswith("root")} == {
        torch.uint8
    }
    run(tmp_path / "killed", optimiser="adamw8bit", resume=True)
    whole, found = learned(tmp_path / "whole"), learned(tmp_path / "killed")
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())


def test_a_run_goes_on_with_as_many_threads_as_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = torch.get_num_threads()
    with computing_with(now + 1):  # as another verdict, or another variable, would have it
        killed_behind(tmp_path / "killed", 3, monkeypatch)
    assert kept_threads(tmp_path / "killed" / "training") == now + 1
    run(tmp_path / "killed", resume=True)
    about = json.loads((tmp_path / "killed" / "run.json").read_text("utf-8"))
    assert about["threads"] == now + 1 and torch.get_num_threads() == now
    assert kept_threads(tmp_path / "nothing") is None


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from adaptation.test_resume import run
run(Path(sys.argv[1]))
"""


def test_killed_by_the_system_at_any_moment(tmp_path: Path) -> None:
    """While a state is written, too."""
    run(tmp_path / "whole")
    draw, out = random.Random(time.time()), tmp_path / "killed"
    tests = str(Path(__file__).parents[1])
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(out), tests], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        while not list(out.glob("training/step-*")) and child.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.1)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        assert child.wait() == -signal.SIGKILL
    run(out, resume=True)
    whole, found = learned(tmp_path / "whole"), learned(out)
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "damage", ["cut", "flipped", "no state", "another format", "another loss", "no json"]
)
def test_a_damaged_state_is_passed_over(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path / "whole")
    killed_behind(tmp_path / "killed", 9, monkeypatch)
    newest = max((tmp_path / "killed" / "training").glob("step-*"))
    assert newest.name == "step-00000009"
    tensors, state = newest / "optimiser.safetensors", newest / "state.json"
    if damage == "cut":
        tensors.write_bytes(tensors.read_bytes()[:-10])
    elif damage == "flipped":
        data = bytearray(tensors.read_bytes())
        data[-100] ^= 1
        tensors.write_bytes(bytes(data))
    elif damage == "no state":
        state.unlink()
    elif damage == "another format":
        state.write_text(state.read_text("utf-8").replace('"format": 3', '"format": 2'), "utf-8")
    elif damage == "another loss":
        text = state.read_text("utf-8")
        digit = text.index('"loss": ') + 10
        other = str((int(text[digit]) + 1) % 10)
        state.write_text(text[:digit] + other + text[digit + 1 :], "utf-8")
    else:
        state.write_text("{", "utf-8")
    run(tmp_path / "killed", resume=True)
    assert "step-00000009 is damaged, and passed over" in caplog.text
    assert steps(tmp_path / "killed") == steps(tmp_path / "whole")


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"lr": 1e-3}, "lr was 0.003 and is 0.001"), ({"seed": 3}, "seed was 0 and is 3")],
)
def test_another_run_does_not_go_on_from_there(
    changed: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_behind(tmp_path / "run", 5, monkeypatch)
    with pytest.raises(ConfigError, match=rf"training holds another run: .*{said}.*--resume"):
        run(tmp_path / "run", resume=True, **changed)
    assert list((tmp_path / "run" / "training").glob("step-*"))  # nothing is lost


def other_words(model: Model) -> None:
    """As many of them, of which two change places."""
    document = words_tokenizer()._document
    words = document["model"]["vocab"]
    words["w0"], words["w1"] = words["w1"], words["w0"]
    model.checkpoint.tokenizer = Tokenizer.from_document(document)


def other_rate(model: Model) -> None:
    """Of dropout."""
    parts = model.checkpoint
    parts.config = replace(parts.config, dropout=0.3)
    parts.body = model.body = parts.family.build(parts.config)
    parts.body.load_state_dict(tiny_model().body.state_dict())


@pytest.mark.parametrize(("change", "said"), [(other_words, "tokenizer"), (other_rate, "config")])
def test_another_model_of_the_same_weights_does_not_go_on_from_there(
    change: Callable[[Model], None], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_behind(tmp_path / "run", 5, monkeypatch, probe=False)
    model = tiny_model()
    change(model)
    with pytest.raises(ConfigError, match=f"training holds another run: {said} was"):
        quick(model, rows(n=60), out=tmp_path / "run", resume=True, probe=False, **RUN)


def test_half_a_state_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run leaves that is killed while it writes one."""
    killed_behind(tmp_path / "run", 5, monkeypatch)
    half = tmp_path / "run" / "training" / f"{HIDDEN}0123456789ab"
    shutil.copytree(tmp_path / "run" / "training" / "step-00000005", half)
    killed_behind(tmp_path / "run", 8, monkeypatch, resume=True)
    names = {path.name for path in (tmp_path / "run" / "training").iterdir()}
    assert names == {"step-00000007", "step-00000008", "metrics.jsonl"}


def test_without_resume_a_run_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    killed_behind(tmp_path / "run", 5, monkeypatch)
    with caplog.at_level("INFO", logger="headway"):
        result = run(tmp_path / "run", lr=1e-3)
    assert "training holds a run on its way: --resume would go on with it" in caplog.text
    assert result.report and not (tmp_path / "run" / "training").exists()


def test_states_of_an_earlier_run_are_left_until_the_new_one_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> list[int]:
        states = (tmp_path / "run" / "training").glob("step-*")
        return sorted(int(path.name[5:]) for path in states)

    killed_behind(tmp_path / "run", 8, monkeypatch)
    killed_behind(tmp_path / "run", 5, monkeypatch, save_every=1000)
    assert kept() == [7, 8]
    killed_behind(tmp_path / "run", 1, monkeypatch)
    assert kept() == [1]


def test_nothing_kept_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="headway"):
        result = run(tmp_path / "run", resume=True, epochs=1)
    assert "nothing is kept in" in caplog.text and result.report


def test_two_states_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_behind(tmp_path / "run", 6, monkeypatch)
    names = sorted(path.name for path in (tmp_path / "run" / "training").glob("step-*"))
    assert names == ["step-00000005", "step-00000006"]


def test_seldom_asked_seldom_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_behind(tmp_path / "run", 6, monkeypatch, save_every=1000)
    assert not list((tmp_path / "run" / "training").glob("step-*"))


def test_a_full_disk_does_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(tensors: Any, path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "write_tensors", full)
        result = run(tmp_path / "run", epochs=1)
    assert result.report and "the run's state is not kept" in caplog.text
    assert "the disk is full" in caplog.text


def test_ctrl_c_keeps_the_state_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "whole")
    real = Keeper.after_step

    def after_step(self: Keeper, history: History) -> None:
        if history.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Keeper, "after_step", after_step)
    stopped = run(tmp_path / "run")
    assert stopped.interrupted and (tmp_path / "run" / "config.json").exists()
    monkeypatch.setattr(Keeper, "after_step", real)
    assert run(tmp_path / "run", resume=True).report
    assert steps(tmp_path / "run") == steps(tmp_path / "whole")


@pytest.mark.parametrize("make", EVERY_TASK.values(), ids=EVERY_TASK.keys())
def test_what_a_step_of_any_task_draws_does_not_depend_on_what_was_drawn(
    make: Callable[[], Any],
) -> None:
    """So a state needs no random numbers."""

    def loss(*, drawn: int) -> float:
        torch.manual_seed(0)
        case = make()
        torch.rand(drawn)
        (batch,) = epoch_batches(case.texts, batch_tokens=10**6, seed=0, most_windows=3)
        learner, backward = learning(case.task, case.model, case.meaning)
        ready = case.task.collate(case.model, batch, case.targets, case.meaning,
                                  weights=case.weights, chance=generator_for(5, 2))  # fmt: skip
        return backward(learner.train(), [ready], (5, 2), "fp32")

    with torch.random.fork_rng([]):
        assert loss(drawn=0) == loss(drawn=7)


def test_the_best_state_so_far_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate far too high for the later epochs: the first one stays the best."""
    high = {"lr": 0.5, "patience": 9, "warmup": 0.0}
    whole = run(tmp_path / "whole", **high)
    killed_behind(tmp_path / "run", 20, monkeypatch, **high)
    seen: list[int] = []
    real = Best.restore

    def restore(self: Best) -> None:
        seen.append(self.number)
        real(self)

    monkeypatch.setattr(Best, "restore", restore)
    again = run(tmp_path / "run", resume=True, **high)
    assert again.report["test"] == whole.report["test"]
    a, b = learned(tmp_path / "whole"), learned(tmp_path / "run")
    assert seen and all(torch.equal(a[name], b[name]) for name in a)
