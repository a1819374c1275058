"""The report of a run: one plain dict, the same that report.json holds."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headway.adaptation.rows import Rows
from headway.adaptation.runs import Run
from headway.adaptation.scoring import Scored
from headway.adaptation.settings import Settings
from headway.core.bottleneck import bottleneck_width
from headway.model import Model
from headway.reports.plain import plain
from headway.tasks import Compared
from headway.training import History
from headway.training.machine import peak_memory_mb, versions
from headway.training.utilisation import utilisation_of
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
        "kind": rows.meaning.kind,
        "model": run.inputs["model"],
        "family": model.checkpoint.values["model_type"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": run.inputs["command"],
        "data": {
            "name": rows.train.name,
            "test_name": rows.test.name,
            "rows": {name: len(part) for name, part in rows.parts.items()},
            "labels": rows.task.label_counts(rows.answers(rows.train), rows.meaning),
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
        "label_names": list(rows.meaning.answers),
        "mask_token": model.need_tokenizer().special.get("mask"),
        "test": tested.scores,
        "baseline": baseline,
        "lengths": lengths_of(
            [text for part in run.texts.values() for text in part],
            model.longest,
            window=settings.window,
        ),
        "curve": {
            "train": history.train,
            "validation": history.validation,
            "rates": list(run.tried),
        },
        "examples": _examples(rows, run.texts["test"], tested),
        "seconds": {**run.seconds, "total": sum(run.seconds.values())},
        "tokens_per_second": {
            "train": history.tokens / max(history.seconds, 1e-9),
            "evaluate": tested.tokens / max(tested.seconds, 1e-9),
        },
        "utilisation": utilisation_of(
            # Where not all weights learn, fewer products are needed than are counted.
            history.flops if settings.method == "full" else 0.0,
            history.seconds,
            run.plan.precision,
            model.device,
        ),
        "energy": dataclasses.asdict(run.energy),
        "peak_memory_mb": peak_memory_mb(),
        "parameters": {**parameters_of(model), "learned": history.learned},
        "adapters": bottleneck_width(model.body),
        "settings": {
            **dataclasses.asdict(run.plan.options),
            "precision": run.plan.precision,
            "probe": run.plan.probe,
            "contrast": run.contrasted,
            "method": settings.method,
            "layers": settings.layers,
            "rank": settings.rank,
            "width": settings.width,
            "layer_decay": settings.layer_decay,
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


def baseline_scores(rows: Rows, settings: Settings) -> dict[str, Any] | None:
    """What a simple method reaches with the same rows, scored by the same measures."""
    train, test = ((rows.inputs(part), rows.answers(part)) for part in (rows.train, rows.test))
    return rows.task.baseline(train, test, rows.meaning, seed=settings.seed)


def lengths_of(
    texts: Sequence[Windowed], longest: int | None, *, window: int | None = None
) -> dict[str, Any]:
    """How long the texts are in tokens, and how many needed windows.

    Args:
        texts: as the model reads them.
        longest: the model's limit in tokens.
        window: how many are read at once, where that is less.
    """
    lengths = np.array([text.longest for text in texts] or [0])
    counts, edges = np.histogram(lengths, bins=BARS)
    return {
        "max_model": longest,
        "window": window or longest,
        "max_seen": int(lengths.max()),
        "windowed": sum(text.most_windows > 1 for text in texts),
        "windows": sum(len(text.ids) for text in texts),
        "left_out": sum(text.report()["used"] < text.tokens for text in texts),
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
    said = [history.stopped] if history.stopped else []
    if history.kept:
        row = history.validation[history.kept - 1]
        place = f"step {row['step']:.0f}, in epoch {row['epoch']:.0f},"
        said.append(f"the state behind {place} was kept: the best on the validation rows")
    return said


def _examples(rows: Rows, texts: Sequence[Windowed], tested: Scored) -> list[dict[str, Any]]:
    """The most confident wrong answers first, then right ones of different labels."""
    task = rows.task
    compared = task.compare(tested.found, texts, rows.answers(rows.test), rows.meaning)
    raw = rows.inputs(rows.test)
    return [
        {
            "text": _shortened(task.shown(raw[n])),
            "label": compared[n].truth,
            "prediction": compared[n].prediction,
            "score": compared[n].sure,
            "right": not compared[n].error,
            "tokens": _tokens_of(texts[n]),
        }
        for n in _telling(compared)
    ]


def _tokens_of(text: Windowed) -> dict[str, int]:
    """What was read; texts that are read side by side are no windows of one."""
    return text.report() | ({} if text.most_windows > 1 else {"windows": 1})


def _telling(compared: Sequence[Compared]) -> list[int]:
    """Numbers of the rows to show: half of them wrong, where there are right ones too."""
    order = sorted(
        range(len(compared)), key=lambda n: (-compared[n].error, -(compared[n].sure or 0.0))
    )
    wrong = [n for n in order if compared[n].error]
    right = _by_turns(order[len(wrong) :], compared)[: EXAMPLES // 2]
    return [*wrong[: EXAMPLES // 2 if right else EXAMPLES], *right]


def _by_turns(order: list[int], compared: Sequence[Compared]) -> list[int]:
    """The first row of each label, then the second of each, and so on."""
    seen: Counter[str] = Counter()
    turns = {}
    for n in order:
        label = str(compared[n].truth)
        turns[n] = seen[label]
        seen[label] += 1
    return sorted(order, key=turns.__getitem__)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"
