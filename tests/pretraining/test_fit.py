from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from headway import load

from .texts import small

fitting = import_module("headway.pretraining.fit")
beginning = import_module("headway.pretraining.pretrain")  # the package's name means the function


def pressed(*given: Any, **more: Any) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def test_what_is_dropped_is_dropped_whenever_it_is_measured() -> None:
    """Texts that are told by what is dropped of them."""
    settings = {"objective": "contrastive", "validate_every": 4}
    reports = [small(dropout=rate, **settings).report for rate in (0.1, 0.4)]
    for report in reports:
        assert report["curve"]["validation"][-1]["loss"] == report["after"]["held-out"]["loss"]
    first, second = (report["before"]["held-out"]["loss"] for report in reports)
    assert first < second


def press_behind_training(monkeypatch: pytest.MonkeyPatch) -> None:
    train = fitting.train

    def trained(*given: Any, **more: Any) -> None:
        train(*given, **more)
        monkeypatch.setattr(fitting, "measure", pressed)

    monkeypatch.setattr(fitting, "train", trained)


def press_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginning, "build_report", pressed)


@pytest.mark.parametrize("press", [press_behind_training, press_in_the_report])
def test_ctrl_c_while_measuring_keeps_the_model(
    press: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = small()
    press(monkeypatch)
    made = small(out=tmp_path / "run")
    assert made.interrupted and "before all was measured" in made.stopped
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert (run["state"], run["stopped"]) == ("interrupted", made.stopped)
    assert not (tmp_path / "run/report.json").exists()
    kept = load(tmp_path / "run").parameters()
    assert all(torch.equal(a, b) for a, b in zip(kept, whole.model.parameters(), strict=True))


def test_a_great_many_steps_take_no_time_before_the_first() -> None:
    made = small(max_steps=100_000_000, max_seconds=0.1)
    assert made.stopped.startswith("0.1 seconds are over")
    assert made.report["settings"]["epochs"] > 1_000_000
