"""`headway stages` and `headway learning-curve`: what they print."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from pretraining.texts import paragraphs, small
from torch import nn

from .calls import error_of, headway
from .tiny import rows, write_csv


@pytest.fixture
def file(tmp_path: Path) -> Path:
    small("gpt2", max_steps=1, out=tmp_path / "tiny")
    for name, seed in (("a.txt", 0), ("b.txt", 1)):
        (tmp_path / name).write_text("\n\n".join(paragraphs(seed=seed)), encoding="utf-8")
    sizes = "window = 48\nbatch_tokens = 480\nmax_steps = 2\nprecision = 'fp32'\n"
    made = tmp_path / "stages.toml"
    made.write_text(
        f'[[stage]]\nname = "one"\nmodel = "tiny"\ntexts = "a.txt"\n{sizes}'
        f'[[stage]]\nname = "two"\ntexts = "b.txt"\n{sizes}',
        encoding="utf-8",
    )
    return made


def test_stages(file: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    said = headway("stages", str(file), "--out", out)
    assert said.exit_code == 0, said.stderr
    assert "held-out loss" in said.stdout and "texts of" in said.stdout and "2-two" in said.stdout
    again = headway("stages", str(file), "--out", out, "--json")
    assert [stage["name"] for stage in json.loads(again.stdout)["stages"]] == ["one", "two"]


def test_ctrl_c_with_json_is_one_document(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = nn.utils.clip_grad_norm_

    def pressed(*arguments: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return clip(*arguments, **options)

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(nn.utils, "clip_grad_norm_", pressed)
        found = headway("stages", str(file), "--out", str(out), "--json")
    assert found.exit_code == 2
    assert json.loads(found.stdout) == {"state": "interrupted", "folder": str(out / "1-one")}
    assert "the same command goes on from there" in found.stderr
    again = headway("stages", str(file), "--out", str(out), "--json")
    assert len(json.loads(again.stdout)["stages"]) == 2


def test_no_stages(tmp_path: Path) -> None:
    found = headway("stages", str(tmp_path / "none.toml"), "--out", str(tmp_path / "run"))
    assert "cannot be read" in error_of(found)


def test_learning_curve(model: str, tickets: str, tmp_path: Path) -> None:
    out = str(tmp_path / "curve")
    said = headway("learning-curve", model, tickets, "--labels", "2", "--labels", "4", "--seeds",
                   "1", "--way", "this model", "--way", "plain fine-tuning", "--out", out,
                   "--precision", "fp32")  # fmt: skip
    assert said.exit_code == 0, said.stderr
    assert "plain fine-tuning" in said.stdout and "labels a class" in said.stdout
    assert (tmp_path / "curve/learning-curve.html").exists()
    judges = str(write_csv(tmp_path / "judges.csv", rows(30, seed=7)))
    found = headway("learning-curve", model, tickets, "--labels", "2", "--seeds", "1", "--way",
                    "this model", "--test", judges, "--json")  # fmt: skip
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["ours"] == "this model"
