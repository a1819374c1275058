"""The report of a run: one plain dict, the same that report.json holds."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import resource
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from headway.adaptation.plan import Plan
from headway.adaptation.rows import Rows
from headway.adaptation.scoring import Scored
from headway.adaptation.settings import Settings
from headway.metrics import tfidf_baseline
from headway.model import Model
from headway.training import History
from headway.training.kinds import KINDS
from headway.windows import Windowed

__all__ = ["baseline_scores", "build_report", "lengths_of", "versions"]

EXAMPLES = 6
BARS = 40


def build_report(
    model: Model,
    rows: Rows,
    texts: Mapping[str, Sequence[Windowed]],
    plan: Plan,
    settings: Settings,
    history: History,
    tested: Scored,
    seconds: Mapping[str, float],
    *,
    task: str,
    command: str,
) -> dict[str, Any]:
    """Everything that was measured, decided and used."""
    baseline = baseline_scores(rows, settings) if settings.baseline else None
    everything = [text for part in texts.values() for text in part]
    parts = {"train": rows.train, "validation": rows.validation, "test": rows.test}
    return {
        "task": task,
        "kind": rows.kind,
        "model": model.source,
        "family": model.checkpoint.values["model_type"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "data": {
            "name": rows.train.name,
            "rows": {name: len(part) for name, part in parts.items()},
            "labels": _label_counts(rows),
            "hash": rows.fingerprint,
            "duplicates_dropped": rows.duplicates_dropped,
            "leaked_dropped": rows.leaked_dropped,
            "columns": {
                "text": rows.columns.text,
                "pair": rows.columns.pair,
                "label": rows.columns.label,
            },
        },
        "label_names": list(rows.labels),
        "test": tested.scores,
        "baseline": baseline,
        "lengths": lengths_of(everything, model.longest),
        "curve": {"train": history.train, "validation": history.validation},
        "examples": _examples(rows, texts["test"], tested),
        "seconds": {**seconds, "total": sum(seconds.values())},
        "tokens_per_second": {
            "train": history.tokens / max(history.seconds, 1e-9),
            "evaluate": tested.tokens / max(tested.seconds, 1e-9),
        },
        "peak_memory_mb": peak_memory_mb(),
        "parameters": parameters_of(model),
        "settings": {
            **dataclasses.asdict(plan.options),
            "precision": plan.precision,
            "probe": plan.probe,
            "head": settings.head,
            "window": settings.window or model.longest,
            "stride": settings.stride,
            "class_weights": settings.class_weights,
        },
        "seed": settings.seed,
        "versions": versions(),
        "notes": [*rows.notes, *plan.notes, *([history.stopped] if history.stopped else [])],
    }


def baseline_scores(rows: Rows, settings: Settings) -> dict[str, Any]:
    """What TF-IDF and a linear model reach with the same rows, scored by the same measures."""
    found = tfidf_baseline(
        rows.texts(rows.train),
        rows.answers(rows.train),
        rows.texts(rows.test),
        kind=rows.kind,
        seed=settings.seed,
    )
    answers = rows.answers(rows.test)
    if found.probabilities is None:
        table = np.asarray(found.predictions, dtype=np.float64).reshape(-1, 1)
    else:
        order = {str(label): place for place, label in enumerate(found.labels)}
        absent = np.zeros(len(found.probabilities))
        columns = [
            found.probabilities[:, order[name]] if name in order else absent for name in rows.labels
        ]
        table = np.stack(columns, axis=1)
    scores = KINDS[rows.kind].score(table, answers, rows.labels)
    left_out = ("confusion", "calibration", "per_label", "points")
    return {"name": found.name, **{k: v for k, v in scores.items() if k not in left_out}}


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


def peak_memory_mb() -> float:
    """The most memory this process ever held, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform != "darwin" else most / 1024**2


def versions() -> dict[str, str]:
    """What the run was made with."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("headway", "torch", "numpy", "pyarrow", "safetensors", "scikit-learn"):
        found[name] = importlib.metadata.version(name)
    found["threads"] = str(torch.get_num_threads())
    return found


def _label_counts(rows: Rows) -> dict[str, int]:
    if rows.kind == "regression":
        return {}
    many = rows.kind == "multi-label"
    answers = rows.answers(rows.train)
    flat = [str(label) for row in answers for label in (row if many else [row])]
    return {name: flat.count(name) for name in rows.labels}


def _examples(rows: Rows, texts: Sequence[Windowed], tested: Scored) -> list[dict[str, Any]]:
    """The most confident wrong answers first, then some right ones."""
    kind = KINDS[rows.kind]
    truth, raw = rows.answers(rows.test), rows.texts(rows.test)
    answers = [kind.answer(row, rows.labels) for row in tested.table]
    if rows.kind == "regression":
        far = np.abs(tested.table[:, 0] - np.asarray(truth, dtype=np.float64))
        order = [int(n) for n in np.argsort(-far)]
    else:
        wrong = [
            not _same(answer["label"], true) for answer, true in zip(answers, truth, strict=True)
        ]
        sure = tested.table.max(axis=1)
        order = sorted(range(len(truth)), key=lambda n: (not wrong[n], -sure[n]))
        amiss = sum(wrong)
        half = EXAMPLES // 2
        order = [*order[: min(amiss, half)], *order[amiss : amiss + half]]
    return [
        {
            "text": " ⏐ ".join(raw[n]) if isinstance(raw[n], tuple) else raw[n],
            "label": truth[n],
            "prediction": answers[n]["score"] if rows.kind == "regression" else answers[n]["label"],
            "score": answers[n]["score"],
            "tokens": texts[n].report(),
        }
        for n in order[:EXAMPLES]
    ]


def _same(found: Any, true: Any) -> bool:
    if isinstance(found, list):
        return set(found) == {str(label) for label in true}
    return bool(found == str(true))
