"""Ctrl-C before there is a head: what was begun is repeated, and ends as if it had not been."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from training.tiny import rows, tiny_model

from headway import load
from headway.adaptation import Result
from headway.tasks.labels import contrast

from .quick import quick

starting = import_module("headway.adaptation.start")


def run(out: Path, **settings: Any) -> Result:
    usual = {"probe": True, "contrast": True, "save_every": 0, "lr": 1e-3}
    return quick(tiny_model(), rows(n=40), out=out, **{**usual, **settings})


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("place", ["probe", "contrast"])
def test_ctrl_c_before_training_keeps_nothing_to_go_on_from(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contrast, "STEPS", 20)
    run(tmp_path / "whole")
    probed, compared, seen = starting._probed, contrast.label_cosines, list[str]()

    def pressed_while_probing(*given: Any) -> Any:
        press()
        return probed(*given)

    def pressed_while_comparing(*given: Any) -> Any:
        seen.append("step")
        if len(seen) == 3:
            press()
        return compared(*given)

    with monkeypatch.context() as patched:
        if place == "probe":
            patched.setattr(starting, "_probed", pressed_while_probing)
        patched.setattr(contrast, "label_cosines", pressed_while_comparing if place == "contrast"
                        else lambda *given: seen.append("step"))  # fmt: skip
        stopped = run(tmp_path / "run")
    assert stopped.stopped.startswith("interrupted behind step 0")
    assert len(seen) == (3 if place == "contrast" else 0)
    assert not list((tmp_path / "run").glob("training/step-*"))
    assert run(tmp_path / "run", resume=True).report
    whole, again = (load(tmp_path / name).state_dict() for name in ("whole", "run"))
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
