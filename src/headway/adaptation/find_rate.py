"""The learning rate from the rows themselves: rates are tried first, and the steepest is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.steps import Steps, learning, rows_in_use
from headway.model import Model
from headway.training.rate_range import Tried, rate_range, steepest
from headway.windows import Windowed

__all__ = ["with_found_rate"]


def with_found_rate(
    model: Model,
    texts: Mapping[str, Sequence[Windowed]],
    targets: Any,
    rows: Rows,
    plan: Plan,
) -> tuple[Plan, Tried]:
    """The plan with the rate at which the loss falls fastest, and what was tried.

    Args: as `fit` takes them; the model is as before in the end.
    """
    options, method = plan.options, plan.method
    steps = Steps(model, texts["train"], targets, rows.task, rows.meaning, plan)
    with rows_in_use(model, texts):
        method.begin(model)
        learner, backward = learning(rows.task, model, rows.meaning)
        try:
            tried = rate_range(
                learner,
                steps.optimiser(),
                steps.epochs()[0],
                steps.parts_of,
                backward,
                # In fp16 every gradient would need its scale; the rates are the same without.
                precision="fp32" if plan.precision == "fp16" else plan.precision,
                clip=options.clip,
                seed=options.seed,
            )
        finally:
            model.eval().requires_grad_(True)
            method.end(model)  # of what was tried nothing is left: products begin with zeros
    rate = steepest(tried)
    if rate is None:
        said = f"the loss falls at no rate that was tried: {options.learning_rate:g} is kept"
        return replace(plan, notes=[*plan.notes, said]), tried
    rate = float(f"{rate:.2g}")  # more digits would mean nothing
    said = f"the loss falls fastest at {rate:g}, of {len(tried)} rates that were tried"
    options = replace(options, learning_rate=rate)
    return replace(plan, options=options, notes=[*plan.notes, said]), tried
