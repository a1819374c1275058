"""Stages one behind the other: run, gone on with, and refused where they were others."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from pretraining.texts import paragraphs, small

from headway import load
from headway.errors import ConfigError, OutputError
from headway.pretraining import pretrain
from headway.stages import run_stages
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
    with monkeypatch.context() as patch:
        running = import_module("headway.pretraining.pretrain")
        patch.setattr(running, "identity_of", lambda model: {"model": "another"})
        with pytest.raises(ConfigError, match=r"holds another run.*Next: take .*1-one/training aw"):
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


@pytest.mark.parametrize("change", ["first.txt/more.txt", "tiny/config.json"])
def test_a_folder_in_which_a_file_has_changed(file: Path, tmp_path: Path, change: str) -> None:
    whole = (tmp_path / "first.txt").read_bytes()
    (tmp_path / "first.txt").unlink()
    (tmp_path / "first.txt").mkdir()
    for name in ("more.txt", "some.txt"):
        (tmp_path / "first.txt" / name).write_bytes(whole)
    one_stage(file, max_steps=1)
    run_stages(file, tmp_path / "run")
    (tmp_path / change).write_bytes((tmp_path / change).read_bytes() + b"\n")
    with pytest.raises(ConfigError, match=f"{Path(change).parent} has changed"):
        run_stages(file, tmp_path / "run")


def test_a_model_of_a_stage_that_is_gone(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    one_stage(file, max_steps=1)
    run_stages(file, out)
    shutil.rmtree(out / "1-one")
    with pytest.raises(ConfigError, match=r"1-one is gone.*Next: put it back, or take .*json away"):
        run_stages(file, out)
    file.write_text(file.read_text("utf-8").replace('"one"', '"other"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="name was 'one' and is 'other'"):
        run_stages(file, out)
    (out / "stages.json").unlink()
    assert [stage["name"] for stage in run_stages(file, out).report["stages"]] == ["other"]


NO_STATE = [
    "3",
    "{}",
    '{"stages": 3}',
    '{"stages": [1]}',
    '{"stages": [{"said": {"files": {}}}]}',
    '{"stages": [{"name": "one", "kind": "pretrain", "seconds": 1, "objective": "causal", '
    '"loss": {"before": 2, "after": 1}, "gain": 1, "forgotten": {}, "said": []}]}',
]


@pytest.mark.parametrize("state", NO_STATE)
def test_a_state_that_says_nothing_of_stages(file: Path, tmp_path: Path, state: str) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "stages.json").write_text(state, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{out}.*does not say which.*Next: name another --out"):
        run_stages(one_stage(file), out)


def test_a_state_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "stages.json").write_text("{", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be read"):
        run_stages(one_stage(file), out)


def test_texts_of_earlier_stages_are_read_as_those_stages_read_them(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(name: str, column: str) -> None:
        lines = [json.dumps({"title": "a text", column: text}) for text in paragraphs(30)]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")

    rows("wiki.jsonl", "content")
    rows("mails.jsonl", "body")
    (tmp_path / "words.txt").write_text("\n".join(paragraphs(30, seed=2)), encoding="latin-1")
    sizes = SIZES + "max_steps = 2\n"
    file.write_text(
        f'[[stage]]\nname = "a"\nmodel = "tiny"\ntexts = "wiki.jsonl"\ntext = "content"\n{sizes}'
        '[[stage]]\nname = "b"\ntexts = ["words.txt"]\nsample_by = "line"\n'
        f'encoding = "latin-1"\n{sizes}'
        f'[[stage]]\nname = "c"\ntexts = "mails.jsonl"\ntext = "body"\n{sizes}',
        encoding="utf-8",
    )
    given: list[dict[str, Any]] = []

    def notes(*arguments: Any, earlier: Any, **settings: Any) -> Any:
        given.append(earlier)
        return pretrain(*arguments, earlier=earlier, **settings)

    monkeypatch.setattr("headway.stages.run.pretrain", notes)
    _, second, third = run_stages(file, tmp_path / "run").report["stages"]
    assert set(second["forgotten"]) == {"a"} and set(third["forgotten"]) == {"a", "b"}
    assert given[2]["a"]["train"]["body"] == paragraphs(30)
    assert given[2]["b"]["train"]["body"] == paragraphs(30, seed=2)


def test_a_split_of_an_earlier_stage_stays_held_out(file: Path, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for split, seed in (("train", 1), ("validation", 2)):
        text = "\n\n".join(paragraphs(20, seed=seed))
        (tmp_path / "parts" / f"{split}.txt").write_text(text, encoding="utf-8")
    sizes = SIZES + "max_steps = 1\n"
    file.write_text(
        f'[[stage]]\nname = "a"\nmodel = "tiny"\ntexts = "parts"\n{sizes}'
        f'[[stage]]\nname = "b"\ntexts = "second.txt"\n{sizes}',
        encoding="utf-8",
    )
    one = run_stages(file, tmp_path / "run").report["stages"][0]
    report = json.loads((tmp_path / "run/2-b/report.json").read_text("utf-8"))
    assert report["before"]["a"][report["main"]] == pytest.approx(one["loss"]["after"], rel=1e-6)


def test_the_vocabulary_of_a_new_model(file: Path, tmp_path: Path) -> None:
    text = "\n\n".join(paragraphs()).replace("the", "The")
    (tmp_path / "first.txt").write_text(text, encoding="utf-8")
    file.write_text(
        '[[stage]]\nname = "a"\nmodel = "bert"\ntexts = "first.txt"\nvocabulary = 420\n'
        f"cased = true\nlayers = 1\nhidden = 16\nheads = 2\nmax_steps = 1\n{SIZES}",
        encoding="utf-8",
    )
    made = run_stages(file, tmp_path / "run")
    tokenizer = load(made.folder).need_tokenizer()
    assert len(tokenizer) <= 420 and "The" in tokenizer.encode("The cat").tokens
    said = made.report["stages"][0]["said"]["given"]["tokenizer"]
    assert said == {"kind": None, "size": 420, "lowercase": False}
    assert run_stages(file, tmp_path / "run").report["stages"] == made.report["stages"]
