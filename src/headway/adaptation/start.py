"""A better start for a head than chance: the body learns by contrast, and a probe is the head."""

from __future__ import annotations

import math
from typing import Any

from headway.adaptation.plan import after_probe
from headway.adaptation.runs import Run
from headway.logs import log
from headway.tasks import Start
from headway.training.interrupt import StopFlag
from headway.training.machine import timed
from headway.training.processes import crew

__all__ = ["start_head"]


def start_head(run: Run, targets: Any, stop: StopFlag) -> None:
    """Starts the head from a probe, where the plan says so, and decides how training goes on.

    Where the probe tells that the body does not know the classes yet, it learns them by contrast,
    and is probed again.

    Args:
        run: before its training; its plan is decided behind this.
        targets: of the training texts, in the unit to train in.
        stop: asked to end, what the body learns first ends behind the current step, or does not
            begin.
    """
    plan, start = run.plan, run.rows.task.start
    if not plan.probe or start is None:
        return
    with timed(run.seconds, "probe"):
        right = _probed(run, start, targets)
    learns = plan.contrast
    if learns is None:
        learns = right is not None and right < start.known
    learns = learns and not any(crew().most(stop.asked))
    if learns and start.contrast is not None:
        with timed(run.seconds, "contrast"):
            before, after = start.contrast(
                run.model,
                run.texts["train"],
                targets,
                precision=plan.precision,
                hidden=plan.hidden,
                micro_batch_tokens=plan.options.micro_batch_tokens,
                seed=run.settings.seed,
                stop=stop,
            )
            right = _probed(run, start, targets)
        if not math.isnan(before):
            said = f"the body learned by contrast first, its loss from {before:.2f} to {after:.2f}"
            plan.notes.append(said)
            log.info("%s", said)
    course = start.behind if learns else None
    course = course or run.rows.task.course(len(run.texts["train"]), run.rows.meaning, right)
    run.plan = after_probe(plan, run.settings, course, None if learns else right)
    run.contrasted = bool(learns)
    for note in run.plan.notes[len(plan.notes) :]:
        log.info("%s", note)


def _probed(run: Run, start: Start, targets: Any) -> float | None:
    """Sets the head to a probe; the share of rows that it gets right when fitted on others."""
    return start.put(
        run.model,
        run.texts["train"],
        targets,
        kind=run.rows.meaning.kind,
        precision=run.plan.precision,
        batch_tokens=run.plan.read_tokens,
        seed=run.settings.seed,
    )
