"""A run as a folder: the model, its report and card, and what repeats it; written all at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.settings import Settings
from headway.checkpoints import saved_checkpoint
from headway.checkpoints.lora import Adapter, write_adapter
from headway.data.features import form_of
from headway.errors import ConfigError
from headway.model import Model
from headway.reports import write_report
from headway.reports.plain import plain, to_json
from headway.tasks import TASKS, Meaning, known_meaning
from headway.training import History
from headway.training.energy import Energy
from headway.training.followers.journal import lines_of
from headway.training.machine import versions
from headway.training.output import (
    ADAPTER,
    FAILED,
    HISTORY,
    KEPT,
    REPORT,
    RUN,
    can_be_replaced,
    stale_files,
)
from headway.windows import Windowed

__all__ = ["PASSING", "Run", "done_run", "read_report", "read_run", "save_run", "task_of_run"]

PASSING = ("resume", "save_every", "tensorboard")
"""Settings that say nothing of what comes out."""


@dataclass
class Run:
    """One adaptation on its way.

    Attributes:
        model: with its new head.
        rows: which train, choose and judge.
        texts: `train`, `validation` and `test` rows as the model reads them.
        settings: what the user decided.
        plan: everything decided; a probe decides the last of it.
        history: of training, as far as it came.
        seconds: stage -> how long it took.
        inputs: names of model, data, test data and task, and the command.
        energy: of training.
        tried: rates, and the loss at each, where they were.
        adapter: what was learned by itself, where the way to adapt knows it.
        contrasted: whether the body learned by contrast before the head was there.
    """

    model: Model
    rows: Rows
    texts: Mapping[str, Sequence[Windowed]]
    settings: Settings
    plan: Plan
    history: History
    seconds: dict[str, float]
    inputs: Mapping[str, Any]
    energy: Energy = field(default_factory=Energy)
    tried: Sequence[tuple[float, float]] = ()
    adapter: Adapter | None = None
    contrasted: bool = False

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended training."""
        return self.history.interrupted


def save_run(run: Run, report: Mapping[str, Any], folder: Path, *, state: str) -> None:
    """Writes model, report.json, report.html, README.md, run.json and metrics.jsonl; of a run that
    ended with an error, the rows of its last step.

    Args:
        run: what it was.
        report: as `build_report` makes it; empty for a run that did not come to its end.
        folder: where to.
        state: done, interrupted or diverged.

    Raises:
        OutputError: the folder cannot be written.
    """
    history = run.history
    about = {
        **run.inputs,
        "kind": run.rows.meaning.kind,
        "state": state,
        "stopped": history.stopped,
        "kept": history.validation[history.kept - 1] if history.kept else None,
        "settings": _said(run.settings),
        "options": dataclasses.asdict(run.plan.options),
        "precision": run.plan.precision,
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    chosen = run.settings
    stale = stale_files(state, tensorboard=chosen.tensorboard, resumed=chosen.resume)
    with saved_checkpoint(run.model.checkpoint, folder, stale=stale, ours=can_be_replaced) as new:
        (new / RUN).write_text(to_json(about), encoding="utf-8")
        (new / HISTORY).write_text("".join(lines_of(history)), encoding="utf-8")
        if history.failed_rows:
            failed = ({"number": n, **run.rows.train[n]} for n in history.failed_rows)
            (new / FAILED).write_text(_lines(failed), encoding="utf-8")
        if run.adapter is not None:
            (new / ADAPTER).mkdir()
            write_adapter(run.adapter, run.model.checkpoint, new / ADAPTER)
        if report:
            write_report(dict(report), new, name=str(folder))


def _said(settings: Settings) -> dict[str, Any]:
    """Settings as JSON can hold them; features as a file of them has them."""
    said = dataclasses.asdict(settings)
    if isinstance(settings.features, Mapping):
        said["features"] = {name: form_of(one) for name, one in settings.features.items()}
    found: dict[str, Any] = plain(said)
    return found


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """JSON lines."""
    return "".join(json.dumps(plain(row)) + "\n" for row in rows)


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says, or nothing where there is none."""
    return _read_json(folder / RUN)


def read_report(folder: Path) -> dict[str, Any]:
    """What report.json says, or nothing where there is none."""
    return _read_json(folder / REPORT)


def done_run(
    folder: Path, settings: Settings, *, model: str, task: str, fingerprint: str
) -> dict[str, Any]:
    """The report of a run like this one that came to its end there; empty where there is none.

    Args:
        folder: where it would be.
        settings: of the run.
        model: its name.
        task: its name.
        fingerprint: of its rows.
    """
    run, report = read_run(folder), read_report(folder)
    was, now = run.get("settings") or {}, _said(settings)
    same = (
        run.get("state") == "done"
        and not (folder / KEPT).exists()
        and (run.get("model"), run.get("task")) == (model, task)
        and all(was.get(name) == now[name] for name in now if name not in PASSING)
        and bool(report)
        and report["data"]["hash"] == fingerprint
    )
    return report if same else {}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def task_of_run(model: Model, saved: Mapping[str, Any]) -> tuple[str, Meaning]:
    """What a model was adapted to, and what its numbers mean.

    Args:
        model: as loaded.
        saved: what `read_run` says of its folder; {} = nothing.

    Raises:
        ConfigError: the model is for no task that there is, or its head is of no kind that the
            task has.
    """
    name = str(saved.get("task") or model.task or "")
    if name not in TASKS:
        what = f"is for {name}" if name else "has no head, and says no task"
        raise ConfigError(
            f"{model.source or 'this model'} {what}",
            allowed=", ".join(TASKS),
            next_step="headway adapt makes it one for a task",
        )
    return name, known_meaning(model, TASKS[name], str(saved.get("kind") or ""))
