"""What follows a pre-training on its way: a log and a page in its folder, and what is asked for."""

from __future__ import annotations

from pathlib import Path

from headway.errors import ConfigError
from headway.logs import log
from headway.pretraining.run import Run
from headway.pretraining.settings import Settings
from headway.training.followers import Follower, Journal, LivePage, Subject, TensorBoard
from headway.training.output import HISTORY, KEPT, LIVE, TENSORBOARD
from headway.training.processes import crew
from headway.training.utilisation import matrix_peak

__all__ = ["check_followers", "followers_of"]

SHOWN = ("learning_rate", "batch_tokens", "schedule", "optimiser", "average", "precision")
"""Options that the page shows, where they are given; the report has all."""

KINDS = {"fill-mask": "masked-words"}
"""Head -> the kind of answers whose measures the page has; of all others, those of language."""


def check_followers(settings: Settings, folder: Path | None) -> None:
    """Whether what is asked for can be had, asked before any work is done.

    Raises:
        ConfigError: event files are asked for without a folder, or without their package.
    """
    if settings.tensorboard:
        if folder is None:
            raise ConfigError("tensorboard = True without out", allowed="a folder to write into")
        TensorBoard(folder / TENSORBOARD)


def followers_of(run: Run, folder: Path | None) -> list[Follower]:
    """The followers of a run; none where nothing is written."""
    if folder is None or not crew().main:
        return []
    log.info("follow the run in %s", folder / LIVE)
    page = LivePage(folder / LIVE, _subject(run))
    found: list[Follower] = [Journal(folder / KEPT / HISTORY), page]
    if run.settings.tensorboard:
        found.append(TensorBoard(folder / TENSORBOARD))
    return found


def _subject(run: Run) -> Subject:
    options = run.options
    shown = {name.replace("_", " "): getattr(options, name) for name in SHOWN}
    blocks = f"{len(run.train):,} train, {len(run.held):,} held out"
    about = {"texts": f"{run.texts:,}", "blocks": blocks, **shown}
    return Subject(
        title=f"{run.corpus.name or 'Texts'}: pre-training",
        name=f"{run.objective.about} · {run.inputs['model']}",
        kind=KINDS.get(run.objective.head, "language"),
        epochs=options.epochs,
        max_seconds=options.max_seconds,
        peak=matrix_peak(options.precision, run.model.device),
        about={name: value for name, value in about.items() if value is not None},
        links=[
            ("report.html", "what was measured, once it is"),
            (HISTORY, "each step as a line of JSON, once the model is saved"),
        ],
    )
