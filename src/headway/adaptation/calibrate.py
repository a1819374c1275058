"""The rule for texts of no label: its score and threshold, found on the validation rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headway.adaptation.runs import Run
from headway.checkpoints import SCORES
from headway.logs import log
from headway.tasks.labels.out_of_scope import calibrated
from headway.training.precision import precision_context

__all__ = ["calibrate_scope"]


def calibrate_scope(run: Run) -> None:
    """Settles the rule of a run that wants one; the model that is saved has it.

    Args:
        run: behind its training, with validation rows.
    """
    rows, model, plan = run.rows, run.model, run.model.checkpoint.plan
    scope = rows.meaning.scope
    if scope is None or plan is None:
        return
    tables = {}
    for score in SCORES:
        with precision_context(run.plan.precision, model.device):
            found = rows.task.read(
                model,
                run.texts["validation"],
                replace(rows.meaning, scope=replace(scope, score=score)),
                batch_tokens=run.plan.read_tokens,
                what="Calibrating",
            )
        tables[score] = np.asarray(found)
    answers = rows.answers(rows.validation)
    settled, said = calibrated(scope, tables, answers, rows.meaning.labels)
    log.info("%s", said)
    meaning = replace(rows.meaning, scope=settled)
    run.rows = replace(rows, meaning=meaning, notes=[*rows.notes, said])
    model.checkpoint.plan = replace(plan, scope=settled)
