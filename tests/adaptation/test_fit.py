from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
import torch
from training.tiny import SIGNS, tiny_model

from headway.adaptation.plan import Plan, plan_run

from .quick import quick

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
