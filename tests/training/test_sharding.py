"""A divided model learns what a whole one does, is kept in parts, and is a plain one in the end."""

from __future__ import annotations

import copy
import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from pretraining.texts import small
from torch import nn

from headway import load
from headway.adaptation.methods import METHODS
from headway.errors import ConfigError
from headway.model import Model
from headway.training.keeper import Keeper
from headway.training.learner import Learner
from headway.training.optimisers import OPTIMISERS
from headway.training.options import Options, check_sharding
from headway.training.sharding import Single, sharded, whole

from .runs import adapted, counted, embedded, ended, lost_once, pretrained
from .several import check, equal, learned, losses, run, same
from .tiny import rows, tiny_model

FULL: dict[str, Any] = {"sharding": "full"}


def same_numbers(one: Model, other: Model) -> None:
    left, right = dict(one.state_dict()), dict(other.state_dict())
    assert left.keys() == right.keys()
    assert all(torch.equal(value, right[name]) for name, value in left.items())


def learner_of(kind: str = "bert") -> Learner:
    return Learner(tiny_model(kind), lambda model, part: ())


FAMILIES = ["bert", pytest.param("gpt2", marks=pytest.mark.slow), "t5", "albert",
            "deberta-v2", "electra", pytest.param("bart", marks=pytest.mark.slow)]  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_process_pretrains_as_if_undivided(family: str, precision: str) -> None:
    given: dict[str, Any] = {"average": 0.9, "validate_every": 2, "max_steps": 5,
                             "precision": precision, "optimiser": "lion"}  # fmt: skip
    plain, divided = small(family, **given), small(family, **given, **FULL)
    same_numbers(plain.model, divided.model)
    assert plain.report["curve"]["validation"] == divided.report["curve"]["validation"]


@pytest.mark.parametrize("method", METHODS)
def test_one_process_adapts_as_if_undivided(method: str) -> None:
    given: dict[str, Any] = {"epochs": 3, "validation": 0.2, "lr": 3e-3, "method": method,
                             "checkpoint_activations": True}  # fmt: skip
    plain, divided = quick(**given), quick(**given, **FULL)
    same_numbers(plain.model, divided.model)
    assert plain.report["test"] == divided.report["test"]
    assert plain.report["curve"]["validation"] == divided.report["curve"]["validation"]


def test_while_it_is_divided_and_behind_it() -> None:
    learner = learner_of()
    before = {name: p.detach().clone() for name, p in learner.named_parameters()}
    kinds = {name: type(part) for name, part in learner.named_modules()}
    with sharded(learner, "full") as held:
        inside = dict(learner.named_parameters())
        assert all(type(p.data).__name__ == "DTensor" for p in inside.values())
        assert any(type(part) is not kinds[name] for name, part in learner.named_modules())
        assert all(torch.equal(whole(p), before[name]) for name, p in inside.items())
        with held.whole():
            assert all(type(p) is nn.Parameter for p in learner.parameters())
            learner.model.embed(["w1 w2 red"])
        assert all(p is inside[name] for name, p in learner.named_parameters())
    assert {name: type(part) for name, part in learner.named_modules()} == kinds
    assert all(torch.equal(p, before[name]) for name, p in learner.named_parameters())
    assert not any(vars(part)["_forward_pre_hooks"] for part in learner.modules())
    same_numbers(copy.deepcopy(learner.model), learner.model)


def test_what_is_tied_stays_tied() -> None:
    model = small("bert", **FULL, max_steps=2).model
    assert model.head is not None
    assert any(p is model.body.embeddings.words.weight for p in model.head.parameters())


def test_an_error_of_all_leaves_weights_and_one_of_a_process_none() -> None:
    learner = learner_of()
    with pytest.raises(ConfigError), sharded(learner, "full"):
        raise ConfigError("the loss became nan")
    assert all(p.isfinite().all() for p in learner.parameters())
    with pytest.raises(ZeroDivisionError), sharded(learner, "full"):
        raise ZeroDivisionError
    assert all(p.isnan().all() and type(p) is nn.Parameter for p in learner.parameters())
    with sharded(learner, "none") as held:
        assert isinstance(held, Single)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_of_whole_matrices_are_refused(name: str) -> None:
    check_sharding("none", name)
    if OPTIMISERS[name].by_number:
        assert Options(sharding="full", optimiser=name).sharding == "full"
        return
    with pytest.raises(ConfigError, match=r"whole matrices.* adamw, lion"):
        quick(optimiser=name, **FULL)
    with pytest.raises(ConfigError, match="whole matrices"):
        small(optimiser=name, **FULL)


def test_words_that_are_no_sharding() -> None:
    with pytest.raises(ConfigError, match=r"none, full"):
        quick(sharding="ful")


def ended_behind(out: Path, step: int, monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """A run of one process, whose states are in parts."""
    after = Keeper.after_step

    def ends(self: Keeper, history: Any) -> None:
        after(self, history)
        if history.step == step:
            raise SystemExit(7)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Keeper, "after_step", ends)
        quick(out=out, **given)


KEPT: dict[str, Any] = {"data": rows(n=60), "epochs": 2, "batch_tokens": 120, "lr": 3e-3,
                        "validation": 0.2, "save_every": 0, "average": 0.8, **FULL}  # fmt: skip


def states(out: Path) -> list[Path]:
    return sorted((out / "training").glob("step-*"))


HARMS = ["none", "cut short", "half written", "no file"]


@pytest.mark.parametrize(
    "harm", ["a bit", *(pytest.param(h, marks=pytest.mark.slow) for h in HARMS)]
)
def test_it_goes_on_behind_the_newest_sound_state(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    through = quick(out=tmp_path / "through", **KEPT)
    ended_behind(tmp_path / "run", 6, monkeypatch, **KEPT)
    older, newest = states(tmp_path / "run")
    (file,) = newest.glob("*.safetensors")
    if harm == "cut short":
        file.write_bytes(file.read_bytes()[:-7])
    elif harm == "a bit":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "half written":
        (newest / "state.json").unlink()
    elif harm == "no file":
        file.unlink()
    with caplog.at_level("INFO", logger="headway"):
        resumed = quick(out=tmp_path / "run", resume=True, **KEPT)
    same_numbers(through.model, resumed.model)
    step = 6 if harm == "none" else 5
    assert f"going on behind step {step}" in caplog.text
    assert ("is damaged" in caplog.text) == (harm != "none")
    assert older.name == "step-00000005"


def test_states_of_a_whole_model_are_those_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_behind(tmp_path / "run", 3, monkeypatch, **KEPT | {"sharding": "none"})
    with pytest.raises(ConfigError, match="sharding was 'none' and is 'full'"):
        quick(out=tmp_path / "run", resume=True, **KEPT)


def test_a_full_disk_is_said_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from torch.distributed.checkpoint import hf_storage

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hf_storage.HuggingFaceStorageWriter, "write_data", full)
    made = quick(out=tmp_path / "run", **KEPT)
    assert made.report and "No space left" in caplog.text
    assert not list((tmp_path / "run").rglob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "work"),
    [
        (2, partial(adapted, average=0.9)),
        (4, partial(embedded, clip=0.01)),
        (2, partial(pretrained, "bert", average=0.9, validate_every=2)),
        (4, partial(pretrained, "t5", optimiser="lion", lr=1e-4)),
        (2, partial(pretrained, "electra")),
    ],
    ids=["adapted", "embedded", "bert", "t5", "electra"],
)
def test_they_train_what_one_process_does(
    size: int, work: Callable[..., Any], tmp_path: Path
) -> None:
    check(run(work, out=tmp_path / "one"))
    check(run(work, size=size, out=tmp_path / "many", **FULL))
    same(tmp_path / "one", tmp_path / "many", 2e-4)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(tmp_path: Path) -> None:
    check(run(adapted, size=2, out=tmp_path / "whole", **FULL))
    assert run(lost_once, size=2, out=tmp_path / "lost", **FULL).codes[1] == -signal.SIGKILL
    done = run(lost_once, size=2, restart=1, out=tmp_path / "lost", **FULL)
    check(done)
    assert "going on behind step 5" in done.said
    equal(tmp_path / "whole", tmp_path / "lost")


@pytest.mark.slow
def test_parts_of_a_state_are_divided_anew_among_others(tmp_path: Path) -> None:
    given = {"average": 0.8, **FULL}
    assert run(ended, size=2, out=tmp_path / "two", **given).codes == (7, 7)
    kept = states(tmp_path / "two")[-1]
    files = json.loads((kept / "state.json").read_text("utf-8"))["files"]
    assert len(files) == 2 and all((kept / name).stat().st_size for name in files)
    for size in (1, 4):
        out = tmp_path / f"then-{size}"
        shutil.copytree(tmp_path / "two", out)
        done = run(adapted, size=size, out=out, resume=True, **given)
        check(done)
        assert "going on behind step 5" in done.said
    check(run(adapted, out=tmp_path / "one", average=0.8))
    for size in (1, 4):
        same(tmp_path / "one", tmp_path / f"then-{size}", 2e-4)


@pytest.mark.slow
def test_a_process_holds_a_share(tmp_path: Path) -> None:
    check(run(counted, size=2, out=tmp_path / "run", **FULL))
    held = [int((tmp_path / f"run-{rank}").read_text()) for rank in range(2)]
    model = load(tmp_path / "run")
    every = 3 * sum(p.numel() for p in model.parameters())  # with two moments of each
    assert sum(held) == pytest.approx(every, rel=0.05)  # rows that no text uses do not learn
    assert max(held) < 0.55 * every
    assert learned(tmp_path / "run") and losses(tmp_path / "run")
