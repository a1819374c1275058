"""What follows an adaptation on its way: a log and a page in its folder, and what is asked for."""

from __future__ import annotations

from pathlib import Path

from headway.adaptation.runs import Run
from headway.adaptation.settings import Settings
from headway.errors import ConfigError
from headway.logs import log
from headway.training.followers import Follower, Journal, LivePage, Subject, TensorBoard
from headway.training.output import HISTORY, KEPT, LIVE, TENSORBOARD
from headway.training.processes import crew
from headway.training.utilisation import matrix_peak

__all__ = ["check_followers", "followers_of"]

SHOWN = ("learning_rate", "batch_tokens", "schedule", "optimiser", "average", "patience")
"""Options that the page shows, where they are given; the report has all."""


def check_followers(settings: Settings, folder: Path | None) -> None:
    """Whether what is asked for can be had, asked before any work is done.

    Args:
        settings: of the run.
        folder: of the model, or None.

    Raises:
        ConfigError: event files are asked for without a folder, or without their package.
    """
    if settings.tensorboard:
        if folder is None:
            raise ConfigError("tensorboard = True without out", allowed="a folder to write into")
        TensorBoard(folder / TENSORBOARD)


def followers_of(run: Run, folder: Path | None) -> list[Follower]:
    """The followers of a run.

    Args:
        run: before its training, with every number decided.
        folder: of the model; None = nothing is written, and nothing follows.
    """
    if folder is None or not crew().main:
        return []
    log.info("follow the run in %s", folder / LIVE)
    found: list[Follower] = [
        Journal(folder / KEPT / HISTORY),
        LivePage(folder / LIVE, _subject(run)),
    ]
    if run.settings.tensorboard:
        found.append(TensorBoard(folder / TENSORBOARD))
    return found


def _subject(run: Run) -> Subject:
    options, settings = run.plan.options, run.settings
    shown = {name.replace("_", " "): getattr(options, name) for name in SHOWN}
    rows = ", ".join(f"{len(part):,} {name}" for name, part in run.rows.parts.items())
    about = {"rows": rows, "method": settings.method, "precision": run.plan.precision, **shown}
    task = str(run.inputs["task"]).replace("-", " ")
    return Subject(
        title=f"{run.rows.train.name or 'Model'}: {task}",
        name=f"{run.inputs['task']} · {run.model.source}",
        kind=run.rows.meaning.kind,
        epochs=options.epochs,
        max_seconds=options.max_seconds,
        # Where not all weights learn fewer products are needed, and a share would say little.
        peak=matrix_peak(run.plan.precision, run.model.device)
        if settings.method == "full"
        else None,
        about={name: value for name, value in about.items() if value is not None},
        links=[
            ("report.html", "what was measured, once it is"),
            (HISTORY, "each step as a line of JSON, once the model is saved"),
        ],
    )
