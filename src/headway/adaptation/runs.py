"""A run as a folder: the model, its report and card, and what repeats it; written all at once."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.adaptation.plan import Plan
from headway.adaptation.report import versions
from headway.adaptation.settings import Settings
from headway.checkpoints import saved_checkpoint
from headway.errors import OutputError
from headway.model import Model
from headway.reports import write_report
from headway.training import History

__all__ = ["check_output", "read_run", "save_run"]

RUN = "run.json"
HISTORY = "metrics.jsonl"


def check_output(folder: Path, model: Model) -> None:
    """Whether a run can be saved there, asked before any work is done.

    Raises:
        OutputError: the place is taken, read-only or too small.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file", next_step="name a folder with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "config.json").exists():
        raise OutputError(
            f"{folder} is not empty and holds no model", next_step="name a new or empty folder"
        )
    parent = Path(os.path.realpath(folder)).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror}", next_step="choose another --out"
        ) from None
    needed = int(1.1 * sum(p.numel() * p.element_size() for p in model.parameters()))
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise OutputError(
            f"{folder}: {free // 2**20} MB are free and the model takes {needed // 2**20}",
            next_step="make room, or choose another --out",
        )


def save_run(
    model: Model,
    report: Mapping[str, Any],
    folder: Path,
    *,
    settings: Settings,
    plan: Plan,
    history: History,
    inputs: Mapping[str, Any],
) -> None:
    """Writes model, report.json, report.html, README.md, run.json and metrics.jsonl.

    An interrupted run has no report: its run.json says where it stopped.

    Args:
        model: adapted.
        report: as `build_report` makes it; empty for an interrupted run.
        folder: where to.
        settings, plan, history: of the run.
        inputs: names of model, data, test data and task, and the command.

    Raises:
        OutputError: the folder cannot be written.
    """
    run = {
        **inputs,
        "state": "interrupted" if not report else "done",
        "stopped": history.stopped,
        "settings": dataclasses.asdict(settings),
        "options": dataclasses.asdict(plan.options),
        "precision": plan.precision,
        "versions": versions(),
    }
    with saved_checkpoint(model.checkpoint, folder) as new:
        text = json.dumps(run, indent=2, ensure_ascii=False, default=str)
        (new / RUN).write_text(text + "\n", encoding="utf-8")
        rows = [*history.train, *history.validation]
        lines = (json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: row["step"]))
        (new / HISTORY).write_text("".join(lines), encoding="utf-8")
        for stale in ("report.json", "report.html", "README.md"):
            (new / stale).unlink(missing_ok=True)
        if report:
            write_report(dict(report), new)


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says, or nothing where there is none."""
    try:
        values = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
