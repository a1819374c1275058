"""Half precision with enlarged gradients learns, and a run that goes on has the same scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from pretraining.texts import small
from torch import Tensor, nn

from headway.errors import ConfigError
from headway.training import precision
from headway.training.accumulate import backward
from headway.training.collate import Batch, Ready
from headway.training.keeper import Keeper
from headway.training.learner import Learner, _louder
from headway.training.precision import chosen_precision, precision_context, precision_here
from headway.training.scaling import LossScale, scale_for

from .test_loop import error_of, linear, run
from .tiny import rows, tiny_model

CPU = torch.device("cpu")


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has processors compute in fp16, however slowly."""
    monkeypatch.setattr(precision, "PROCESSORS", ("fp32", "bf16", "fp16"))


class Told:
    """What a scale tells its factor, in the place of a learner."""

    gradient_scale = 1.0


def test_it_is_for_gpus() -> None:
    with pytest.raises(ConfigError, match="'fp16' on a processor"):
        chosen_precision("fp16", CPU)
    assert precision_here("fp16", CPU) == precision_here(None, CPU) == "auto"
    assert precision_here("fp16", torch.device("cuda")) == "fp16"
    with precision_context("fp16", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float16


def learner_of(term: Any) -> tuple[Learner, nn.Linear]:
    line = linear()
    return Learner(line, lambda model, part: (term(model),)), line  # type: ignore[arg-type]


def test_small_gradients_are_lost_without_it_and_exact_with_it() -> None:
    def tiny(model: nn.Linear) -> Tensor:
        return (1e-4 * model(torch.full((1, 2), 1e-4)).half()).float().sum()

    found = {}
    for factor in (1.0, 2.0**12):
        learner, line = learner_of(tiny)
        scale = LossScale(learner, factor)
        part = Ready(Batch([0], [], [], []), None, (1.0,))
        loss = backward(learner, [part], (0, 1), "fp16")
        scale.undo(line.parameters())
        assert line.weight.grad is not None
        found[factor] = loss, line.weight.grad.clone()
    assert found[1.0][0] == found[2.0**12][0]  # the loss is not enlarged
    assert found[1.0][1].eq(0).all()
    torch.testing.assert_close(found[2.0**12][1], torch.full((1, 2), 1e-8), rtol=0.01, atol=0)


def test_powers_of_two_change_no_bit_of_a_run_in_whole_precision() -> None:
    plain, scaled = linear(), linear()
    learned = run(plain)

    def louder(module: nn.Module, row: int) -> Tensor:
        return _louder(error_of(module, row), told.gradient_scale)

    told: Any = Told()
    history = run(scaled, loss_of=louder, scale=LossScale(told))
    assert [row["loss"] for row in history.train] == [row["loss"] for row in learned.train]
    assert all(
        torch.equal(a, b) for a, b in zip(plain.parameters(), scaled.parameters(), strict=True)
    )


def test_a_step_out_of_range_is_left_out_and_the_next_ones_are_enlarged_less() -> None:
    learner, _ = learner_of(lambda model: torch.zeros(()))
    scale = LossScale(learner, 4.0, grows=2)
    assert [scale.fits(norm) for norm in (1.0, 2.0, 3.0)] == [True] * 3
    assert scale.factor == learner.gradient_scale == 8.0
    assert not scale.fits(float("inf")) and not scale.fits(float("nan"))
    assert scale.factor == learner.gradient_scale == 2.0
    again = LossScale(learner)
    again.take(scale.tensors(), scale.numbers())
    assert (again.factor, again.sound, learner.gradient_scale) == (2.0, 0, 2.0)
    assert not scale.fits(float("inf"))
    assert scale.fits(float("inf"))  # at a factor of 1 it is the run that is at fault
    assert scale_for("bf16", learner) is None and isinstance(scale_for("fp16", learner), LossScale)


def test_infinite_gradients_leave_the_parameters_and_then_end_the_run() -> None:
    class Breaks(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, tensor: Tensor) -> Tensor:
            return tensor.view_as(tensor)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return gradient * torch.inf

    def breaks(module: nn.Module, row: int) -> Tensor:
        return Breaks.apply(module(torch.ones(2)).sum())  # type: ignore[no-untyped-call, no-any-return]

    told: Any = Told()
    module = linear()
    before = [p.detach().clone() for p in module.parameters()]
    with pytest.raises(ConfigError, match="gradient became"):
        run(module, loss_of=breaks, scale=LossScale(told, 4.0))
    assert told.gradient_scale == 1.0
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_an_impossible_loss_is_no_matter_of_range() -> None:
    def breaks(module: nn.Module, row: int) -> Tensor:
        return error_of(module, row) * float("nan")

    told: Any = Told()
    with pytest.raises(ConfigError, match="loss became nan in step 1 of 20"):
        run(linear(), loss_of=breaks, scale=LossScale(told, 4.0))


@pytest.mark.usefixtures("halves")
def test_a_run_learns_as_in_the_other_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.training.scaling.FIRST", 2.0**8)  # no step is out of range
    given: dict[str, Any] = {"data": rows(n=60), "epochs": 2, "lr": 3e-3, "validation": 0.0}
    found = [quick(precision=word, **given).report["curve"]["train"] for word in ("bf16", "fp16")]
    for other, half in zip(*found, strict=True):  # whose dropout draws the same
        # A number of bf16 has eight bits, and processors add in an order of their own.
        assert half["loss"] == pytest.approx(other["loss"], rel=0.03)
    made = small("bert", precision="fp16", max_steps=30)
    before, after = (made.report[when]["held-out"]["loss"] for when in ("before", "after"))
    assert after < 0.9 * before


@pytest.mark.usefixtures("halves")
def test_it_goes_on_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"data": rows(n=60), "epochs": 2, "batch_tokens": 120, "lr": 3e-3,
                             "validation": 0.0, "save_every": 0, "precision": "fp16"}  # fmt: skip
    monkeypatch.setattr("headway.training.scaling.GROWS", 3)
    whole = quick(tiny_model(), **given)
    after = Keeper.after_step

    def ends(self: Keeper, history: Any) -> None:
        after(self, history)
        if history.step == 5:
            raise SystemExit(7)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Keeper, "after_step", ends)
        quick(tiny_model(), out=tmp_path / "run", **given)
    resumed = quick(tiny_model(), out=tmp_path / "run", resume=True, **given)
    assert resumed.report["curve"]["train"] == whole.report["curve"]["train"]
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


@pytest.mark.usefixtures("halves")
@pytest.mark.slow
def test_labels_are_learned_by_contrast_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.training.scaling.FIRST", 2.0**8)
    found = []
    for word in ("bf16", "fp16"):
        made = quick(tiny_model(), rows(n=60), probe=True, contrast=True, precision=word)
        (said,) = [note for note in made.report["notes"] if "by contrast" in note]
        found.append([float(loss) for loss in said.split()[-3::2]])
    assert found[1] == pytest.approx(found[0], abs=0.05)


@pytest.mark.usefixtures("halves")
def test_a_divided_model_learns_the_same() -> None:
    given: dict[str, Any] = {"data": rows(n=60), "epochs": 2, "lr": 3e-3, "precision": "fp16"}
    whole, divided = quick(tiny_model(), **given), quick(tiny_model(), sharding="full", **given)
    kept = divided.model.state_dict()
    assert all(torch.equal(p, kept[name]) for name, p in whole.model.state_dict().items())
