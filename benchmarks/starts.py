"""What benchmarks of pre-training share: a task learned from a model's weights, or from fresh ones.

Every start has the best of the same learning rates, by rows that neither train nor judge. As many
runs as there are processors go on side by side, with one thread each.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from common import interval_over_seeds

import headway
from headway.checkpoints.fresh import forget
from headway.data import Dataset
from headway.training.chance import own_randomness

SETTINGS: dict[str, Any] = {
    "probe": False, "contrast": False, "validation": 0.0, "baseline": False, "threads": 1,
}  # fmt: skip
"""All starts learn a task alike: no head has a start of its own."""
CHOOSES = 0.15
"""Share of the training rows that chooses the rate."""


@dataclass(frozen=True)
class Lesson:
    """One run: who learns what, and is judged by which rows."""

    folder: Path
    forgets: bool
    """Whether the model forgets first all that it has learned."""
    task: str
    rows: Dataset
    judges: Dataset
    rate: float
    seed: int
    epochs: int


def learn(lesson: Lesson) -> dict[str, float]:
    """What a run reaches, and how long it trains."""
    model = headway.load(lesson.folder, keep_head=False)
    if lesson.forgets:
        with own_randomness(lesson.seed, model.device):
            forget(model.checkpoint)
    report = headway.adapt(
        model, lesson.rows, task=lesson.task, test=lesson.judges, seed=lesson.seed,
        epochs=lesson.epochs, lr=lesson.rate, **SETTINGS,
    ).report  # fmt: skip
    found = {"accuracy": report["test"]["accuracy"], "seconds": report["seconds"]["train"]}
    start = f"{lesson.folder.name} forgotten" if lesson.forgets else lesson.folder.name
    print(lesson.task, start, f"rate {lesson.rate} seed {lesson.seed}", found, flush=True)
    return found


def scores_of(
    starts: Mapping[str, tuple[Path, bool]],
    task: str,
    train: Dataset,
    test: Dataset,
    *,
    rates: Sequence[float],
    seeds: int,
    epochs: int,
) -> dict[str, Any]:
    """Each start's accuracy on the test rows, over seeds, and its distance to the last one.

    Args:
        starts: name -> folder of a model, and whether it forgets all that it has learned.
        task: that is learned.
        train, test: its rows.
        rates: learning rates to choose from.
        seeds, epochs: of the runs.
    """
    few, chooses = train.split(CHOOSES, seed=0)
    with ProcessPoolExecutor(
        os.cpu_count(), multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)
    ) as pool:
        tried = pool.map(learn, [
            Lesson(*start, task, few, chooses, rate, seed=0, epochs=epochs)
            for start in starts.values() for rate in rates
        ])  # fmt: skip
        by_rate = {name: {rate: next(tried)["accuracy"] for rate in rates} for name in starts}
        best = {name: max(one, key=one.__getitem__) for name, one in by_rate.items()}
        learned = pool.map(learn, [
            Lesson(*start, task, train, test, best[name], seed, epochs)
            for name, start in starts.items() for seed in range(seeds)
        ])  # fmt: skip
        runs = {name: [{"seed": seed, **next(learned)} for seed in range(seeds)] for name in starts}
    found: dict[str, dict[str, Any]] = {
        name: {"accuracy_by_rate": by_rate[name], "rate": best[name], "runs": runs[name]}
        for name in starts
    }
    scores = {name: [run["accuracy"] for run in runs[name]] for name in starts}
    *_, last = scores
    for name, one in found.items():
        apart = [100 * (s - other) for s, other in zip(scores[name], scores[last], strict=True)]
        one["mean_accuracy_percent"] = 100 * statistics.mean(scores[name])
        if name != last:
            one[f"points_above_{last}"] = statistics.mean(apart)
            one["interval_95_points"] = interval_over_seeds(apart)
    return {"rows": {"train": len(train), "test": len(test)}, "starts": found}
