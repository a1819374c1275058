"""A pre-training that is stopped anywhere goes on, and ends as the one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
import torch

from headway import load
from headway.errors import ConfigError
from headway.pretraining import Pretrained
from headway.training.keeper import Keeper
from headway.training.loop import History

from .texts import small, texts

SETTINGS: dict[str, Any] = {"max_steps": 13, "epochs": 3, "batch_tokens": 480, "average": 0.8,
                            "micro_batch_tokens": 200, "save_every": 0,
                            "validate_every": 4}  # fmt: skip


OBJECTIVES: list[tuple[str, dict[str, Any]]] = [
    ("bert", {}),
    ("bert", {"masking": "spans"}),
    ("electra", {}),
    ("electra", {"masking": "words"}),
    ("t5", {}),
    ("bart", {}),
    ("gpt2", {}),
    ("bert", {"objective": "contrastive"}),
]
"""Every objective, and what it can be made of."""

TESTS = str(Path(__file__).parents[1])


class Killed(BaseException):
    """As sudden as a signal."""


def run(out: Path, family: str = "bert", **settings: Any) -> Pretrained:
    return small(family, out=out, **{**SETTINGS, **settings})


def steps(out: Path) -> list[dict[str, Any]]:
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.mark.parametrize(
    "step", [9, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 4, 12))]
)
@pytest.mark.parametrize(
    "given",
    [("bert", {}), ("electra", {"masking": "words"}), ("t5", {}),
     ("bert", {"objective": "contrastive"})],
    ids=str,
)  # fmt: skip
def test_killed_and_resumed(
    step: int, given: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, settings = given
    run(tmp_path / "whole", family, **settings)
    after = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        after(self, history)
        if history.step == step:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            run(tmp_path / "killed", family, **settings)
    run(tmp_path / "killed", family, resume=True, **settings)
    whole, resumed = (load(tmp_path / name).state_dict() for name in ("whole", "killed"))
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name
    assert steps(tmp_path / "whole") == steps(tmp_path / "killed")


def test_another_run_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(self: Keeper, history: History) -> None:
        self.keep()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            run(tmp_path / "run")
    with pytest.raises(ConfigError, match="holds another run: lr was"):
        run(tmp_path / "run", resume=True, lr=1e-4)
    with pytest.raises(ConfigError, match="holds another run"):
        run(tmp_path / "run", resume=True, masking="spans")


def told() -> list[dict[str, Any]]:
    """What is kept of the run of each objective to know it by."""
    found: list[dict[str, Any]] = []

    def begin(self: Keeper, *given: Any) -> None:
        found.append(self.run)
        raise Killed

    with patch.object(Keeper, "begin", begin), TemporaryDirectory() as folder:
        for family, settings in OBJECTIVES:
            with pytest.raises(Killed):
                run(Path(folder), family, **settings)
    return found


def child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Another process, in which this module is at hand."""
    code = f"import sys; sys.path[:0] = [{TESTS!r}]; from pretraining.test_resume import *; {code}"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True,
                          check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip


def test_another_process_knows_the_run_of_every_objective() -> None:
    here, there = told(), child("print(json.dumps(told()))")
    assert json.loads(there.stdout) == here, there.stderr[-10_000:]
    objectives = [about["objective"] for about in here]
    assert len(set(objectives)) == len(OBJECTIVES) and "0x" not in json.dumps(here)


def killed(out: str) -> None:
    """A run that the system ends behind step 9."""
    after = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        after(self, history)
        if history.step == 9:
            os.kill(os.getpid(), signal.SIGKILL)

    with patch.object(Keeper, "after_step", dies):
        run(Path(out), threads=1)


def test_killed_by_the_system_and_resumed_by_another_process(tmp_path: Path) -> None:
    run(tmp_path / "whole", threads=1)
    ended = child("killed(sys.argv[1])", str(tmp_path / "killed"))
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-10_000:]
    run(tmp_path / "killed", threads=1, resume=True)
    whole, resumed = (load(tmp_path / name).state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    assert steps(tmp_path / "whole") == steps(tmp_path / "killed")


def test_other_texts_for_measuring_are_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Keeper, history: History) -> None:
        self.keep()
        raise Killed

    def measured_on(held: int, **settings: Any) -> None:
        run(tmp_path / "run", data={"train": texts(), "validation": texts(9, held)}, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            measured_on(7)
    with pytest.raises(ConfigError, match="holds another run: held was"):
        measured_on(8, resume=True)
    measured_on(7, resume=True)
