from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor
from training.tiny import SIGNS, rows, tiny_model

from headway.adaptation.plan import Plan, plan_run
from headway.errors import ConfigError
from headway.model import Model
from headway.tasks import text_classification as classifying
from headway.training.average import Average
from headway.training.collate import Batch, text_logits
from headway.training.loop import COUNTED
from headway.training.optimisers import OPTIMISERS
from headway.training.schedule import SCHEDULES

from .quick import LEARNS, changed, quick

fitting = import_module("headway.adaptation.fit")
adapting = import_module("headway.adaptation.adapt")  # the package's name means the function


def options(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Has the next adaptation's plan changed in what no setting reaches."""

    def planned(*inputs: Any) -> Plan:
        plan = plan_run(*inputs)
        return replace(plan, options=replace(plan.options, **changes))

    monkeypatch.setattr(adapting, "plan_run", planned)


def test_the_head_may_have_a_rate_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    base: dict[str, Any] = {"probe": False, "lr": 1e-7, "weight_decay": 0}
    slow = quick(**base).model
    options(monkeypatch, head_learning_rate=0.1)
    fast = quick(**base).model
    moved = {
        name: float((value - slow.state_dict()[name]).abs().max())
        for name, value in fast.state_dict().items()
    }
    assert min(size for name, size in moved.items() if name.startswith("head.")) > 0.05
    assert max(size for name, size in moved.items() if name.startswith("body.")) < 1e-5


def test_word_rows_that_no_text_uses_stay_as_they_are() -> None:
    """Decay does not wear them down either."""
    model = tiny_model()
    table = model.body.embeddings.words
    unused = [model.need_tokenizer().vocabulary[word] for word in ("[PAD]", "[UNK]", SIGNS[2])]
    before = table.weight.detach().clone()
    quick(model, weight_decay=0.9, lr=1e-2)
    assert model.body.embeddings.words is table
    assert torch.equal(table.weight[unused], before[unused])
    moved = (table.weight - before).abs().amax(dim=1) > 0
    assert moved.sum() == len(before) - len(unused)


def test_every_epoch_and_every_seed_has_an_order_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[int]] = []

    def noted(model: Model, batch: Batch) -> Tensor:
        seen.append(batch.rows)
        return text_logits(model, batch)

    monkeypatch.setattr(classifying, "text_logits", noted)
    test = rows(n=5, seed=7)
    orders = []
    for seed in (0, 1):
        seen.clear()
        quick(test=test, epochs=2, seed=seed, batch_tokens=60, probe=False)
        half = len(seen) // 2
        assert sorted(row for batch in seen[:half] for row in batch) == list(range(40))
        orders += [seen[:half], seen[half:]]
    assert all(a != b for n, a in enumerate(orders) for b in orders[:n])


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser_learns_at_its_own_rate(optimiser: str) -> None:
    usual = LEARNS | {"lr": LEARNS["lr"] * OPTIMISERS[optimiser].rate, "epochs": 20}
    result = quick(data=rows(n=120), test=rows(n=40, seed=1), optimiser=optimiser, **usual)
    assert result.report["test"]["accuracy"] > 0.9


def test_an_optimiser_has_a_usual_rate_of_its_own() -> None:
    rates = {
        name: quick(optimiser=name, probe=False).report["settings"]["learning_rate"]
        for name in OPTIMISERS
    }
    assert rates["lion"] < rates["adamw"] == rates["muon"] < rates["adafactor"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_is_followed(schedule: str) -> None:
    result = quick(data=rows(n=60), batch_tokens=30, schedule=schedule, lr=1e-3, probe=False)
    steps = result.report["curve"]["train"]
    wanted = [1e-3 * SCHEDULES[schedule](step, len(steps), 0.1) for step in range(len(steps))]
    assert [row["learning_rate"] for row in steps] == pytest.approx(wanted)


def test_a_step_in_parts_ends_where_the_whole_one_does() -> None:
    """As near as numbers of 32 bits are, where there is no dropout."""
    settings = {"batch_tokens": 200, "optimiser": "adafactor", "probe": False, "lr": 1e-3}
    whole, parts = (
        quick(tiny_model("llama"), rows(n=40), micro_batch_tokens=most, **settings).model
        for most in (None, 30)
    )
    assert changed(whole, parts)
    for ours, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-3, atol=1e-5)


def test_an_average_counts_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In validation, in the best epoch's state, and where there is none."""
    seen: list[Average] = []

    class Watched(Average):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            seen.append(self)

    monkeypatch.setattr(fitting, "Average", Watched)
    model = quick(data=rows(n=60), average=0.5, epochs=2, probe=False, lr=1e-2).model
    (average,) = seen
    assert average.steps == 4
    plain = quick(data=rows(n=60), epochs=2, probe=False, lr=1e-2).model
    assert changed(model, plain)
    head = [p for name, p in model.named_parameters() if name.startswith("head.")]
    assert all(torch.equal(a, b) for a, b in zip(head, average.values[-len(head) :], strict=True))


def test_validation_and_the_best_epoch_see_the_average(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one that does not move, every epoch is as good as the start."""
    settings = {"data": rows(n=60), "validation": 0.3, "epochs": 3, "probe": False, "lr": 1e-2}
    monkeypatch.setattr(fitting.Average, "see", lambda self: setattr(self, "steps", 10**9))
    report = quick(average=0.5, **settings).report
    scores = [row["accuracy"] for row in report["curve"]["validation"]]
    assert len(set(scores)) == 1
    assert len({row["loss"] for row in report["curve"]["train"]}) > 1


def test_a_found_rate_is_taken_and_told() -> None:
    result = quick(data=rows(n=80), find_lr=True, probe=False, out=None)
    report = result.report
    tried = report["curve"]["rates"]
    assert len(tried) > 20 and tried[0][0] == pytest.approx(1e-7)
    rate = report["settings"]["learning_rate"]
    assert min(abs(rate / one - 1) for one, _ in tried) < 0.05 and 1e-5 < rate < 1
    assert rate == float(f"{rate:.2g}")
    assert any("the loss falls fastest at" in note for note in report["notes"])
    assert report["seconds"]["find rate"] > 0
    assert all(p.requires_grad for p in result.model.parameters())


def test_trying_changes_nothing_but_the_rate() -> None:
    found = quick(data=rows(n=60), find_lr=True, probe=False)
    given = quick(data=rows(n=60), lr=found.report["settings"]["learning_rate"], probe=False)
    assert not changed(found.model, given.model)


def test_a_rate_is_given_or_found() -> None:
    with pytest.raises(ConfigError, match=r"find_lr = True with lr = 0\.1"):
        quick(find_lr=True, lr=0.1)


def test_a_million_epochs_take_no_time_before_the_first_step() -> None:
    result = quick(epochs=1_000_000, max_seconds=0.1, batch_tokens=60, probe=False)
    assert result.stopped.startswith("0.1 seconds are over")
    assert result.report["curve"]["train"][0]["loss"] > 0


def test_epochs_that_differ_are_counted_so_far_as_steps_reach() -> None:
    many: dict[str, Any] = {"epochs": COUNTED + 1, "batch_tokens": 1, "probe": False}
    made = quick(max_steps=3, **many)
    assert len(made.report["curve"]["train"]) == 3 and made.stopped == ""
    with pytest.raises(ConfigError, match=f"epochs = {COUNTED + 1} that differ"):
        quick(**many)
