"""What a pre-training found, as one plain dict; and the run as a folder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from headway.checkpoints import saved_checkpoint
from headway.pretraining.run import Run
from headway.pretraining.stored import STORED
from headway.reports.plain import plain, to_json
from headway.reports.pretrained import write_pretrained
from headway.training.followers.journal import lines_of
from headway.training.machine import peak_memory_mb, versions
from headway.training.output import FAILED, HISTORY, RUN, can_be_replaced, stale_files
from headway.training.utilisation import utilisation_of

__all__ = ["build_report", "save_pretrained"]

TASK = "pretraining"


def build_report(run: Run) -> dict[str, Any]:
    """Everything that was measured, decided and used, in plain JSON values."""
    model, history, options = run.model, run.history, run.options
    before, after = run.measured["before"], run.measured["after"]
    found: dict[str, Any] = plain(
        {
            "task": TASK,
            "objective": _objective_name(run),
            "about": run.objective.about,
            "main": run.objective.terms[0],
            "model": run.inputs["model"],
            "family": model.checkpoint.values["model_type"],
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": run.inputs["command"],
            "data": {
                "name": run.corpus.name,
                "texts": run.texts,
                "bytes": run.corpus.bytes,
                "tokens": {
                    "train": _tokens(run.train),
                    "held-out": _tokens(run.held),
                },
                "blocks": {"train": len(run.train), "held-out": len(run.held)},
                "hash": run.corpus.fingerprint,
            },
            "before": before,
            "after": after,
            "gain": _change(before, after, "held-out", run.objective.terms[0]),
            "forgotten": {
                name: after[name][run.objective.terms[0]] - before[name][run.objective.terms[0]]
                for name in run.earlier
            },
            "curve": {"train": history.train, "validation": history.validation},
            "tokens": history.tokens,
            "seconds": {**run.seconds, "total": sum(run.seconds.values())},
            "tokens_per_second": history.tokens / max(history.seconds, 1e-9),
            "utilisation": utilisation_of(
                history.flops, history.seconds, options.precision, model.device
            ),
            "energy": dataclasses.asdict(run.energy),
            "peak_memory_mb": peak_memory_mb(),
            "parameters": {
                "model": sum(p.numel() for p in model.parameters()),
                "learned": history.learned,
            },
            "settings": dataclasses.asdict(run.settings) | dataclasses.asdict(options),
            "vocabulary": len(model.need_tokenizer()),
            "seed": options.seed,
            "versions": versions(),
            "stored": run.stored,
            "notes": [*run.notes, *filter(None, [history.stopped])],
        }
    )
    return found


def save_pretrained(run: Run, report: Mapping[str, Any], folder: Path, *, state: str) -> None:
    """Writes model, report.json, report.html, README.md, run.json and metrics.jsonl, all at once;
    of a run that ended with an error, what its last step read.

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
        "task": TASK,
        **run.inputs,
        "objective": _objective_name(run),
        "state": state,
        "stopped": history.stopped,
        "settings": dataclasses.asdict(run.settings),
        "options": dataclasses.asdict(run.options),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    stale = stale_files(state, tensorboard=run.settings.tensorboard)
    with saved_checkpoint(
        run.model.checkpoint,
        folder,
        stale=stale,
        ours=can_be_replaced,
        dtype=STORED[run.stored],
    ) as new:
        (new / RUN).write_text(to_json(about), encoding="utf-8")
        (new / HISTORY).write_text("".join(lines_of(history)), encoding="utf-8")
        if run.failed:
            decode = run.model.need_tokenizer().decode
            failed = ({"text": decode(ids), "ids": ids} for ids in run.failed)
            (new / FAILED).write_text("".join(json.dumps(row) + "\n" for row in failed), "utf-8")
        if report:
            write_pretrained(dict(report), new, name=str(folder))


def _objective_name(run: Run) -> str:
    return type(run.objective).__name__.lower()


def _tokens(blocks: Any) -> int:
    return int(sum(map(len, blocks["ids"]))) if len(blocks) else 0


def _change(
    before: Mapping[str, Mapping[str, float]],
    after: Mapping[str, Mapping[str, float]],
    name: str,
    term: str,
) -> float | None:
    """How much less the loss is; None where it was not measured."""
    if name not in before or name not in after:
        return None
    return before[name][term] - after[name][term]
