"""Where a run is saved: what may be replaced, and what outlives an older run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick

from headway import load
from headway.checkpoints import folders
from headway.errors import OutputError
from headway.training.keeper import Keeper
from headway.training.loop import History
from headway.training.output import can_be_replaced, check_output, stale_files

from .tiny import tiny_model


@pytest.mark.parametrize("left", [".headway-0a1b", ".headway-inside-0a1b"])
def test_what_a_killed_save_leaves_is_no_strangers(tmp_path: Path, left: str) -> None:
    (tmp_path / left).mkdir()
    assert can_be_replaced(tmp_path)
    (tmp_path / "training").mkdir()
    (tmp_path / "live.html").touch()
    assert can_be_replaced(tmp_path)
    check_output(tmp_path, tiny_model())


def test_strangers_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "photo.jpg").touch()
    (tmp_path / ".headway-0a1b").mkdir()  # of a folder beside it
    assert not can_be_replaced(tmp_path)
    with pytest.raises(OutputError, match="not empty and holds no model"):
        check_output(tmp_path, tiny_model())


def test_a_run_that_goes_on_keeps_its_other_seeds() -> None:
    assert "seed-*" in stale_files("done", tensorboard=False)
    assert "seed-*" not in stale_files("done", tensorboard=False, resumed=True)


class Killed(BaseException):
    """As sudden as a signal."""


def test_a_run_killed_while_it_was_saved_in_the_working_directory_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"epochs": 2, "batch_tokens": 60, "save_every": 0}
    quick(out=tmp_path / "whole", **given)
    out = tmp_path / "run"
    out.mkdir()
    monkeypatch.chdir(out)
    kept = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        kept(self, history)
        if history.step == 5:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            quick(out=Path(), **given)
    (out / f"{folders.INSIDE}0a1b").mkdir()
    (out / f"{folders.INSIDE}0a1b/config.json").write_text("{}")
    (out / "model.safetensors").write_text("the marker is still to come")
    steps: list[int] = []

    def seen(self: Keeper, history: History) -> None:
        steps.append(history.step)
        kept(self, history)

    monkeypatch.setattr(Keeper, "after_step", seen)
    quick(out=Path(), resume=True, **given)
    assert steps[0] == 6
    wanted, found = load(tmp_path / "whole").state_dict(), load(out).state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    assert not list(out.glob(".headway-*")) and not (out / "training").exists()
