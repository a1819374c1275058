"""A saved run on other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.adaptation.report import lengths_of
from headway.adaptation.rows import Data, answers_of, read_rows
from headway.adaptation.runs import read_run, task_of_run
from headway.adaptation.scoring import score_texts
from headway.adaptation.settings import Settings, settings_from
from headway.core.ragged import usual_tokens
from headway.data import Dataset
from headway.errors import ConfigError, DataError, nearest
from headway.hub import resolve_model
from headway.loading import load
from headway.model import Model
from headway.reports.plain import plain
from headway.tasks import Compared, Task, task_named
from headway.tasks.measured import Measured, Metrics
from headway.training.machine import peak_memory_mb, versions
from headway.training.precision import chosen_precision, precision_here

__all__ = ["Evaluation", "evaluate", "evaluated"]

OF_THE_ROWS = (*("text", "pair", "label", "encoding", "format", "recipe", "sample_by", "features"),)
OF_THE_MODEL = ("window", "stride", "precision")


def evaluate(
    run: Model | str | Path,
    data: Data,
    *,
    split: str = "test",
    batch_tokens: int | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Scores a model on rows whose answers are known.

    Columns, windows and precision are those of the run, unless given: the same rows give the
    same numbers as the run's own report. A model that is given itself, not by the name of its
    run, is measured with the defaults of `Settings`.

    Args:
        run: a model, or the name of one.
        data: rows, splits of rows, or a file or folder that `read` takes.
        split: which split counts, where there are several.
        batch_tokens: most tokens in a forward pass; None = as many as its device reads fast.
        settings: text, pair, label, encoding, format, recipe, sample_by, features,
            window, stride, precision.

    Raises:
        ConfigError: the model is for no task that can be measured, or a setting is none of these.
        DataError: the rows cannot be read, or have a label that the model does not know.

    Example:
        headway.evaluate("runs/tickets", "more.csv")["test"]["accuracy"]
    """
    return evaluated(run, data, split=split, batch_tokens=batch_tokens, **settings).report


@dataclass(frozen=True)
class Evaluation:
    """A model's answers to rows, and what they are worth.

    Attributes:
        model: that was asked, as long as it is needed.
        report: as `evaluate` gives it.
        task: what was asked.
        compared: every answer beside the truth.
        answers: the truth, as the rows have it.
        metrics: the measures that are metrics of columns.
    """

    model: Model | None
    report: dict[str, Any]
    task: Task
    compared: list[Compared]
    answers: list[Any]
    metrics: dict[str, Measured]


def evaluated(
    run: Model | str | Path, data: Data, *, split: str, batch_tokens: int | None, **settings: Any
) -> Evaluation:
    """As `evaluate`, with all answers."""
    saved = {} if isinstance(run, Model) else read_run(resolve_model(str(run)))
    chosen = _settings(saved, settings)
    model = run if isinstance(run, Model) else load(run)
    name, meaning = task_of_run(model, saved)
    task = task_named(name)
    given = read_rows(data, chosen)
    splits = {split: given} if isinstance(given, Dataset) else given
    if split not in splits:
        raise DataError(f"there is no split {split!r}", allowed=", ".join(splits))
    rows = splits[split]
    columns = task.columns(rows, text=chosen.text, pair=chosen.pair, label=chosen.label)
    answers = answers_of(task, rows, columns, meaning.kind, split)
    if not answers:
        raise DataError(f"there are no {split} rows", allowed="one row or more")
    texts = task.encode(
        model,
        task.inputs(rows, columns),
        size=chosen.window or model.longest,
        stride=chosen.stride,
    )
    asked = settings.get("precision") or precision_here(saved.get("precision"), model.device)
    precision = chosen_precision(asked, model.device)
    scored = score_texts(
        task,
        model,
        texts,
        answers,
        meaning,
        precision=precision,
        batch_tokens=batch_tokens or usual_tokens(model.device),
    )
    found: dict[str, Any] = plain(
        {
            "task": name,
            "kind": meaning.kind,
            "model": model.source,
            "data": {"name": rows.name, "rows": len(rows), "hash": rows.fingerprint},
            "label_names": list(meaning.answers),
            "test": scored.scores,
            "lengths": lengths_of(texts, model.longest, window=chosen.window),
            "seconds": {"evaluate": scored.seconds},
            "tokens_per_second": {"evaluate": scored.tokens / max(scored.seconds, 1e-9)},
            "peak_memory_mb": peak_memory_mb(),
            "settings": {"precision": precision},
            "versions": versions(),
            "notes": [columns.said],
        }
    )
    compared = task.compare(scored.found, texts, answers, meaning)
    metrics = {}
    if isinstance(task, Metrics):
        metrics = task.metrics(scored.found, texts, answers, meaning)
    return Evaluation(model, found, task, compared, answers, metrics)


def _settings(saved: Mapping[str, Any], given: dict[str, Any]) -> Settings:
    """The run's own settings, with what is given in their place."""
    allowed = (*OF_THE_ROWS, *OF_THE_MODEL)
    for name in given:
        if name not in allowed:
            hint = nearest(name, allowed)
            raise ConfigError(
                f"setting {name!r} is none of measuring", allowed=", ".join(allowed), next_step=hint
            )
    known: dict[str, Any] = {}
    if saved:
        # How the training file was written says nothing of this one.
        kept = ("text", "pair", "label", "window", "stride")
        known = {name: (saved.get("settings") or {}).get(name) for name in kept}
    return settings_from({**known, **{k: v for k, v in given.items() if v is not None}})
