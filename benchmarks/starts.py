"""What benchmarks of pre-training share: a task learned from a model's weights, or from fresh ones.

Every start has the best of the same learning rates, by rows that neither train nor judge.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common import interval_over_seeds

import headway
from headway.checkpoints.fresh import forget
from headway.data import Dataset
from headway.training.chance import own_randomness

SETTINGS: dict[str, Any] = {
    "probe": False, "contrast": False, "validation": 0.0, "baseline": False,
}  # fmt: skip
"""All starts learn a task alike: no head has a start of its own."""
CHOOSES = 0.15
"""Share of the training rows that chooses the rate."""


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
    found: dict[str, dict[str, Any]] = {}
    for name, (folder, forgets) in starts.items():

        def accuracy(
            rows: Dataset, judges: Dataset, rate: float, seed: int,
            folder: Path = folder, forgets: bool = forgets,
        ) -> dict[str, float]:  # fmt: skip
            model = headway.load(folder, keep_head=False)
            if forgets:
                with own_randomness(seed, model.device):
                    forget(model.checkpoint)
            report = headway.adapt(
                model, rows, task=task, test=judges, seed=seed, epochs=epochs, lr=rate, **SETTINGS
            ).report
            return {
                "accuracy": report["test"]["accuracy"],
                "seconds": report["seconds"]["train"],
            }

        by_rate = {rate: accuracy(few, chooses, rate, 0)["accuracy"] for rate in rates}
        rate = max(by_rate, key=by_rate.__getitem__)
        runs = [{"seed": seed, **accuracy(train, test, rate, seed)} for seed in range(seeds)]
        print(task, name, by_rate, runs, flush=True)
        found[name] = {"accuracy_by_rate": by_rate, "rate": rate, "runs": runs}
    scores = {name: [run["accuracy"] for run in one["runs"]] for name, one in found.items()}
    *_, last = scores
    for name, one in found.items():
        apart = [100 * (s - other) for s, other in zip(scores[name], scores[last], strict=True)]
        one["mean_accuracy_percent"] = 100 * statistics.mean(scores[name])
        if name != last:
            one[f"points_above_{last}"] = statistics.mean(apart)
            one["interval_95_points"] = interval_over_seeds(apart)
    return {"rows": {"train": len(train), "test": len(test)}, "starts": found}
