"""Stages one behind the other: read, run, gone on with, and refused where they cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from pretraining.texts import paragraphs, small

from headway import load
from headway.errors import ConfigError, DataError, InputError, OutputError
from headway.stages import read_stages, run_stages
from headway.training.keeper import Keeper
from headway.training.loop import History
from headway.training.objectives.causal import Causal

SIZES = "window = 48\nbatch_tokens = 480\nlr = 3e-3\nprecision = 'fp32'\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A first and a second pre-training, and a task."""
    small("gpt2", max_steps=1, out=tmp_path / "tiny")
    turned = [" ".join(reversed(text.split())) for text in paragraphs()]
    for name, texts in (("first.txt", paragraphs()), ("second.txt", turned)):
        (tmp_path / name).write_text("\n\n".join(texts), encoding="utf-8")
    lines = [json.dumps({"text": text, "label": text.split()[1]}) for text in paragraphs(50)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    made = tmp_path / "stages.toml"
    made.write_text(
        f'[[stage]]\nname = "one"\nmodel = "tiny"\ntexts = ["first.txt"]\nmax_steps = 40\n{SIZES}'
        f'[[stage]]\nname = "two"\ntexts = "second.txt"\nmax_steps = 40\n{SIZES}'
        '[[stage]]\nname = "three"\ndata = "rows.jsonl"\nepochs = 1\ncontrast = false\n'
        "precision = 'fp32'\n",
        encoding="utf-8",
    )
    return made


def test_three_stages(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    made = run_stages(file, out, command="headway stages stages.toml")
    one, two, three = made.report["stages"]
    assert one["gain"] > 0.5 and one["forgotten"] == {}
    assert two["gain"] > 0.1 and two["forgotten"]["one"] > 0
    assert three["measure"] == "accuracy" and 0 <= three["score"] <= 1
    assert three["baseline"]["score"] is not None
    assert {path.name for path in out.iterdir()} == {
        "1-one", "2-two", "3-three", "stages.json", "stages.html"
    }  # fmt: skip
    assert json.loads((out / "stages.json").read_text("utf-8")) == made.report
    page = (out / "stages.html").read_text("utf-8")
    assert "one → two → three" in page and "headway stages stages.toml" in page
    assert load(made.folder).task == "text-classification"
    assert json.loads((out / "2-two/run.json").read_text("utf-8"))["model"] == str(out / "1-one")
    assert two["said"]["begun"].startswith("sha256:")


def test_what_is_done_is_not_done_again(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = run_stages(file, out)
    times = {p: p.stat().st_mtime_ns for p in out.glob("*/model.safetensors")}
    again = run_stages(file, out)
    assert again.report["stages"] == first.report["stages"]
    assert times == {p: p.stat().st_mtime_ns for p in out.glob("*/model.safetensors")}


class Killed(BaseException):
    """As sudden as a signal."""


def test_a_killed_stage_goes_on(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_stages(file, tmp_path / "whole")
    kept = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        kept(self, history)
        if "2-two" in str(self.folder) and history.step == 11:
            self.keep()
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            run_stages(file, tmp_path / "killed")
    assert not (tmp_path / "killed/2-two/model.safetensors").exists()
    resumed = run_stages(file, tmp_path / "killed")
    for name, value in load(whole.folder).state_dict().items():
        assert torch.equal(value, load(resumed.folder).state_dict()[name]), name


def steps_seen(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The steps that are taken from now on."""
    kept = Keeper.after_step
    seen: set[int] = set()

    def notes(self: Keeper, history: History) -> None:
        seen.add(history.step)
        kept(self, history)

    monkeypatch.setattr(Keeper, "after_step", notes)
    return seen


def one_stage(file: Path, **settings: Any) -> Path:
    """A file of one short pre-training."""
    given = {"max_steps": 8, "window": 48, "batch_tokens": 480, "lr": 3e-3, **settings}
    lines = "\n".join(f"{name} = {value}" for name, value in given.items())
    head = '[[stage]]\nname = "one"\nmodel = "tiny"\ntexts = "first.txt"\nprecision = "fp32"\n'
    file.write_text(head + lines, encoding="utf-8")
    return file


def killed_stage(file: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that is kept behind its third step, and then killed."""
    kept = Keeper.after_step

    def dies(self: Keeper, history: History) -> None:
        kept(self, history)
        if history.step == 3:
            self.keep()
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "after_step", dies)
        with pytest.raises(Killed):
            run_stages(file, out)


def test_a_killed_stage_that_is_another_now_begins_anew(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    killed_stage(one_stage(file), out, monkeypatch)
    seen = steps_seen(monkeypatch)
    found = run_stages(one_stage(file, lr=1e-3), out)
    assert seen == set(range(1, 9))
    wanted = run_stages(file, tmp_path / "whole")
    assert found.report["stages"][0]["loss"] == wanted.report["stages"][0]["loss"]
    assert not (out / "1-one/training").exists()


def diverges(monkeypatch: pytest.MonkeyPatch, file: Path, out: Path) -> None:
    """A stage whose loss becomes undefined behind a step that was kept."""
    asked, kept = Causal.loss, Keeper.after_step
    taken: set[int] = set()

    def breaks(self: Causal, model: Any, ready: Any) -> Any:
        found = asked(self, model, ready)
        return tuple(term * float("nan") for term in found) if len(taken) == 2 else found

    def keeps(self: Keeper, history: History) -> None:
        kept(self, history)
        self.keep()
        taken.add(history.step)

    with monkeypatch.context() as patch:
        patch.setattr(Causal, "loss", breaks)
        patch.setattr(Keeper, "after_step", keeps)
        with pytest.raises(ConfigError, match="loss became nan in step 3"):
            run_stages(file, out)


@pytest.mark.parametrize("lr", [3e-3, 1e-3])
def test_a_stage_that_diverged_begins_anew(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lr: float
) -> None:
    out = tmp_path / "run"
    diverges(monkeypatch, one_stage(file), out)
    assert list((out / "1-one/training").glob("step-*"))
    seen = steps_seen(monkeypatch)
    killed_stage(one_stage(file, lr=lr), out, monkeypatch)
    assert seen == {1, 2, 3}
    seen.clear()
    run_stages(file, out)  # what began anew goes on, whatever was before it
    assert seen == set(range(4, 9))


def test_what_the_file_does_not_say_is_another_run_too(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    killed_stage(one_stage(file), out, monkeypatch)
    small("gpt2", max_steps=2, out=tmp_path / "tiny")
    with pytest.raises(ConfigError, match=r"holds another run.*Next: take .*1-one/training away"):
        run_stages(file, out)
    shutil.rmtree(out / "1-one/training")
    assert run_stages(file, out).report["stages"]


def test_a_stage_that_cannot_begin_leaves_nothing(file: Path, tmp_path: Path) -> None:
    one_stage(file, window=4000)
    with pytest.raises(ConfigError, match="window = 4000"):
        run_stages(file, tmp_path / "run")
    assert not list((tmp_path / "run").iterdir())


def test_what_somebody_else_has_there_is_left(file: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "run/1-one"
    (theirs / "training").mkdir(parents=True)
    for name in ("run.json", "notes.txt", "training/plan.txt"):
        (theirs / name).write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not empty and holds no model"):
        run_stages(one_stage(file), tmp_path / "run")
    names = {str(path.relative_to(theirs)) for path in theirs.rglob("*") if path.is_file()}
    assert names == {"run.json", "notes.txt", "training/plan.txt"}


@pytest.mark.parametrize("change", ["max_steps = 40", "first.txt"])
def test_a_stage_that_was_another(file: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "run"
    run_stages(file, out)
    if change == "first.txt":
        (tmp_path / change).write_text("\n\n".join(paragraphs(seed=5)), encoding="utf-8")
    else:
        file.write_text(file.read_text("utf-8").replace(change, "max_steps = 41"), "utf-8")
    with pytest.raises(ConfigError, match=r"stage 'one' .* was another"):
        run_stages(file, out)


WRONG: list[tuple[str, str]] = [
    ("", "holds no stages"),
    ("stage = 3", "holds no stages"),
    ("[[stage]]\nname = 'a'", r"texts \(pre-training\) or data"),
    ("[[stage]]\nname = 'A b'\ntexts = 'x'", "is called 'A b'"),
    ("[[stage]]\nname = 'a'\ntexts = 'x'", "has no model"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nmax_stepz = 3", "max_steps"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nlr = 7", "lr = 7"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\nresume = true", "no setting"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ndata = 'x'\ntask = 'nothing'", "task = 'nothing'"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = [3]", "3 in a stage"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\n" * 2, "two stages are called 'a'"),
    ("[[stage]]\nname = 'a'\nmodel = 'bert'\ntexts = 'x'\n[[stage]]\nname = 'b'\nmodel = 'bert'\n"
     "texts = 'x'", "stage 'b' has a model"),
    ("[[stage]]\nname = 'a'\nmodel = 'x'\ndata = 'x'\n[[stage]]\nname = 'b'\ntexts = 'x'",
     "an adaptation is the last one"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "stages.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        run_stages(file, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_stages(tmp_path / "nowhere.toml")
    (tmp_path / "broken.toml").write_text("[[stage]\n", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        read_stages(tmp_path / "broken.toml")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/stages.json").write_text("{", encoding="utf-8")
    good: dict[str, Any] = {"name": "a", "model": "bert", "texts": "x"}
    lines = "".join(f"{key} = '{value}'\n" for key, value in good.items())
    (tmp_path / "good.toml").write_text("[[stage]]\n" + lines, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        run_stages(tmp_path / "good.toml", tmp_path / "run")
