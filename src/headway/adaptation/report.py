"""The report of a run: one plain dict, the same that report.json holds."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headway.adaptation.machine import peak_memory_mb, versions
from headway.adaptation.rows import Rows
from headway.adaptation.runs import Run
from headway.adaptation.scoring import Scored
from headway.adaptation.settings import Settings
from headway.metrics import tfidf_baseline
from headway.model import Model
from headway.reports.plain import plain
from headway.training import History
from headway.training.kinds import KINDS, Floats
from headway.training.labels import flat_names
from headway.windows import Windowed

__all__ = ["baseline_scores", "build_report", "lengths_of"]

EXAMPLES = 6
LONGEST_SHOWN = 2000
BARS = 40


def build_report(run: Run, tested: Scored, baseline: dict[str, Any] | None) -> dict[str, Any]:
    """Everything that was measured, decided and used, in plain JSON values.

    Args:
        run: behind its training.
        tested: answers to the test texts.
        baseline: as `baseline_scores` makes it, or None.
    """
    model, rows, history, settings = run.model, run.rows, run.history, run.settings
    report = {
        "task": run.inputs["task"],
        "kind": rows.kind,
        "model": model.source,
        "family": model.checkpoint.values["model_type"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": run.inputs["command"],
        "data": {
            "name": rows.train.name,
            "rows": {name: len(part) for name, part in rows.parts.items()},
            "labels": _label_counts(rows),
            "hash": rows.fingerprint,
            "duplicates_dropped": rows.duplicates_dropped,
            "leaked_dropped": rows.leaked_dropped,
            "near_leaks": rows.near_leaks,
            "columns": {
                "text": rows.columns.text,
                "pair": rows.columns.pair,
                "label": rows.columns.label,
            },
        },
        "label_names": list(rows.labels),
        "test": tested.scores,
        "baseline": baseline,
        "lengths": lengths_of(
            [text for part in run.texts.values() for text in part], model.longest
        ),
        "curve": {"train": history.train, "validation": history.validation},
        "examples": _examples(rows, run.texts["test"], tested),
        "seconds": {**run.seconds, "total": sum(run.seconds.values())},
        "tokens_per_second": {
            "train": history.tokens / max(history.seconds, 1e-9),
            "evaluate": tested.tokens / max(tested.seconds, 1e-9),
        },
        "peak_memory_mb": peak_memory_mb(),
        "parameters": parameters_of(model),
        "settings": {
            **dataclasses.asdict(run.plan.options),
            "precision": run.plan.precision,
            "probe": run.plan.probe,
            "head": settings.head,
            "window": settings.window or model.longest,
            "stride": settings.stride,
            "class_weights": settings.class_weights,
        },
        "seed": settings.seed,
        "versions": versions(),
        "notes": [*rows.notes, *run.plan.notes, *_said_of(history)],
    }
    found: dict[str, Any] = plain(report)
    return found


def baseline_scores(rows: Rows, settings: Settings) -> dict[str, Any]:
    """What TF-IDF and a linear model reach with the same rows, scored by the same measures."""
    found = tfidf_baseline(
        rows.texts(rows.train),
        _baseline_answers(rows),
        rows.texts(rows.test),
        kind=rows.kind,
        seed=settings.seed,
    )
    if found.probabilities is None:
        table = np.asarray(found.predictions, dtype=np.float64).reshape(-1, 1)
    else:
        order = {str(label): place for place, label in enumerate(found.labels)}
        absent = np.zeros(len(found.probabilities))
        columns = [
            found.probabilities[:, order[name]] if name in order else absent for name in rows.labels
        ]
        table = np.stack(columns, axis=1)
    scores = KINDS[rows.kind].score(table, rows.answers(rows.test), rows.labels)
    left_out = ("confusion", "calibration", "per_label", "points")
    return {"name": found.name, **{k: v for k, v in scores.items() if k not in left_out}}


def _baseline_answers(rows: Rows) -> list[Any]:
    """The training labels, by their names."""
    answers = rows.answers(rows.train)
    if rows.kind == "regression":
        return answers
    if rows.kind == "multi-label":
        return [set(flat_names([row], rows.kind)) for row in answers]
    return flat_names(answers, rows.kind)


def lengths_of(texts: Sequence[Windowed], longest: int | None) -> dict[str, Any]:
    """How long the texts are in tokens, and how many needed windows."""
    lengths = np.array([text.tokens for text in texts] or [0])
    counts, edges = np.histogram(lengths, bins=BARS)
    return {
        "max_model": longest,
        "max_seen": int(lengths.max()),
        "windowed": sum(len(text.ids) > 1 for text in texts),
        "windows": sum(len(text.ids) for text in texts),
        "percentiles": {str(p): float(np.percentile(lengths, p)) for p in (50, 90, 99, 100)},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def parameters_of(model: Model) -> dict[str, int]:
    """How many parameters body and head have; a table that both share counts once."""
    body = {id(p): p.numel() for p in model.body.parameters()}
    head = {id(p): p.numel() for p in model.head.parameters()} if model.head is not None else {}
    return {
        "body": sum(body.values()),
        "head": sum(size for key, size in head.items() if key not in body),
    }


def _said_of(history: History) -> list[str]:
    kept = f"the state behind epoch {history.kept} was kept: the best on the validation rows"
    return [*filter(None, [history.stopped]), *([kept] if history.kept else [])]


def _label_counts(rows: Rows) -> dict[str, int]:
    if rows.kind == "regression":
        return {}
    counts = Counter(flat_names(rows.answers(rows.train), rows.kind))
    return {name: counts[name] for name in rows.labels}


def _examples(rows: Rows, texts: Sequence[Windowed], tested: Scored) -> list[dict[str, Any]]:
    """The most confident wrong answers first, then right ones of different labels."""
    kind = KINDS[rows.kind]
    truth, raw = _named(rows), rows.texts(rows.test)
    told = "score" if rows.kind == "regression" else "label"
    found = [kind.answer(row, rows.labels)[told] for row in tested.table]
    sure = _sureness(tested.table, rows.kind)
    return [
        {
            "text": _shown(raw[n]),
            "label": truth[n],
            "prediction": found[n],
            "score": None if sure is None else sure[n],
            "tokens": texts[n].report(),
        }
        for n in _telling(truth, found, sure)
    ]


def _named(rows: Rows) -> list[Any]:
    """The test labels as predictions are written: names, lists of them in order, numbers."""
    answers = rows.answers(rows.test)
    if rows.kind == "multi-label":
        return [sorted(set(flat_names([row], rows.kind))) for row in answers]
    return answers if rows.kind == "regression" else flat_names(answers, rows.kind)


def _sureness(table: Floats, kind: str) -> list[float] | None:
    """How sure an answer is, 0 to 1; of a set of labels, its least sure label, there or not."""
    if kind == "regression":
        return None
    sure = 0.5 + np.abs(table - 0.5).min(axis=1) if kind == "multi-label" else table.max(axis=1)
    return [float(value) for value in sure]


def _telling(truth: list[Any], found: list[Any], sure: list[float] | None) -> list[int]:
    """Numbers of the rows to show; of predicted numbers, those that are furthest off."""
    if sure is None:
        far = np.abs(np.asarray(found, dtype=np.float64) - np.asarray(truth, dtype=np.float64))
        return [int(n) for n in np.argsort(-far, kind="stable")[:EXAMPLES]]
    wrong = [
        (sorted(one) if isinstance(one, list) else one) != true
        for one, true in zip(found, truth, strict=True)
    ]
    order = sorted(range(len(truth)), key=lambda n: (not wrong[n], -sure[n]))
    amiss, half = sum(wrong), EXAMPLES // 2
    return [*order[: min(amiss, half)], *_by_turns(order[amiss:], truth)[:half]]


def _by_turns(order: list[int], truth: list[Any]) -> list[int]:
    """The first row of each label, then the second of each, and so on."""
    seen: Counter[str] = Counter()
    turns = {}
    for n in order:
        label = str(truth[n])
        turns[n] = seen[label]
        seen[label] += 1
    return sorted(order, key=turns.__getitem__)


def _shown(text: str | tuple[str, str]) -> str:
    whole = text if isinstance(text, str) else " ⏐ ".join(text)
    return whole if len(whole) <= LONGEST_SHOWN else whole[:LONGEST_SHOWN] + " …"
