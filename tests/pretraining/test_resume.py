"""A pre-training that is stopped anywhere goes on, and ends as the one that was not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from headway import load
from headway.errors import ConfigError
from headway.pretraining import Pretrained
from headway.training.keeper import Keeper
from headway.training.loop import History

from .texts import small

SETTINGS: dict[str, Any] = {"max_steps": 13, "epochs": 3, "batch_tokens": 480, "average": 0.8,
                            "micro_batch_tokens": 200, "save_every": 0,
                            "validate_every": 4}  # fmt: skip


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
