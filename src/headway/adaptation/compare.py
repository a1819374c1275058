"""Two runs on the same rows: what each is worth, what it costs, and whether chance explains it."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headway.adaptation.evaluate import Evaluation, evaluated
from headway.adaptation.report import parameters_of
from headway.adaptation.rows import Data, read_rows
from headway.adaptation.settings import settings_from
from headway.checkpoints.tensors import STALE_WEIGHTS
from headway.errors import ConfigError
from headway.hub import resolve_model
from headway.metrics import ROW_SUMS, mcnemar, permutation_test
from headway.model import Model
from headway.reports.plain import plain
from headway.reports.sheets import SHEETS
from headway.tasks import Compared
from headway.tasks.measured import Measured
from headway.training.machine import forget_peak_memory

__all__ = ["compare"]

SAMPLES, FEWER = 10_000, 1_000
"""Exchanges of the permutation test: of metrics that are sums over rows, and of dearer ones."""

OF_THE_FILES = ("encoding", "format", "recipe", "sample_by", "features")


def compare(
    first: Model | str | Path,
    second: Model | str | Path,
    data: Data,
    *,
    split: str = "test",
    batch_tokens: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> dict[str, Any]:
    """Measures two runs of one task on the same rows, one after the other.

    Two intervals that overlap do not say that two runs are alike; a paired test does, since the
    rows are the same. Each measure that is a metric of columns gets a permutation test and its
    intervals; so does, for every task, the mean of the rows' errors as the task counts them (0 =
    right), and right and wrong rows get McNemar's test.

    Args:
        first, second: as `evaluate` takes them: runs or their names.
        data, split, batch_tokens: as `evaluate` takes them.
        seed: of the permutations.
        settings: as `evaluate` takes them, for both.

    Returns:
        `runs`, what is said of each (`test`, `parameters`, `disk_mb`, `seconds`,
        `tokens_per_second`, `peak_memory_mb`); `measures`, each with `first`, `second`,
        `difference` (first minus second), `intervals` (95%, of both) and `p_value`, the last two
        None where there are none; `paired`, with `mean_error` and `right`.
        `disk_mb` is None for a model that was not named, and `peak_memory_mb` where the system
        does not count it for each.

    Raises:
        ConfigError: they are for different tasks, or read different answers from the rows.
        InputError: as `evaluate`.

    Example:
        headway.compare("runs/small", "runs/large", "more.csv")["paired"]["right"]["p_value"]
    """
    given = {name: settings[name] for name in OF_THE_FILES if settings.get(name) is not None}
    rows = read_rows(data, settings_from(given))
    runs, kept = [], []
    for run in (first, second):
        fresh = forget_peak_memory()
        one = evaluated(run, rows, split=split, batch_tokens=batch_tokens, **settings)
        runs.append(_said(run, one, fresh))
        kept.append(dataclasses.replace(one, model=None))  # the next one's memory is not this one's
        del one
    told, other = (one.report for one in kept)
    if (told["task"], told["kind"]) != (other["task"], other["kind"]):
        names = " and ".join(f"{each['task']} ({each['kind']})" for each in (told, other))
        raise ConfigError(f"the two runs are for {names}", allowed="two runs of one task")
    if kept[0].answers != kept[1].answers:
        raise ConfigError(
            "the two runs read different answers from the rows",
            allowed="one label column for both",
            next_step="name it with --label",
        )
    result: dict[str, Any] = plain(
        {
            "task": told["task"],
            "kind": told["kind"],
            "data": told["data"],
            "runs": runs,
            "measures": _measures(kept[0], kept[1], seed),
            "paired": _paired(kept[0].compared, kept[1].compared, seed),
            "versions": told["versions"],
            "notes": list(dict.fromkeys([*told["notes"], *other["notes"]])),
        }
    )
    return result


def _said(run: Model | str | Path, one: Evaluation, fresh: bool) -> dict[str, Any]:
    """What one run is worth, and what it costs."""
    report, model = one.report, one.model
    assert model is not None
    return {
        "model": report["model"],
        "family": model.checkpoint.values.get("model_type"),
        "test": report["test"],
        "lengths": report["lengths"],
        "parameters": parameters_of(model),
        "disk_mb": None if isinstance(run, Model) else _disk_mb(resolve_model(str(run))),
        "seconds": report["seconds"]["evaluate"],
        "tokens_per_second": report["tokens_per_second"]["evaluate"],
        "peak_memory_mb": report["peak_memory_mb"] if fresh else None,
        "precision": report["settings"]["precision"],
    }


def _disk_mb(place: Path) -> float:
    """Of the weights' files, in MB."""
    files = [place] if place.is_file() else place.iterdir()
    sizes = [
        path.stat().st_size
        for path in files
        if path == place or any(fnmatch.fnmatchcase(path.name, each) for each in STALE_WEIGHTS)
    ]
    return sum(sizes) / 1e6


def _measures(first: Evaluation, second: Evaluation, seed: int) -> list[dict[str, Any]]:
    """The kind's measures of both, as its reports order them."""
    found = []
    for measure in SHEETS[first.report["kind"]].measures:
        one, other = (run.report["test"].get(measure.key) for run in (first, second))
        if one is None and other is None:
            continue
        apart = None if one is None or other is None else one - other
        told = {"key": measure.key, "first": one, "second": other, "difference": apart}
        columns = [run.metrics.get(measure.key) for run in (first, second)]
        found.append({**told, **_told(*columns, seed=seed)})
    return found


def _told(first: Measured | None, second: Measured | None, *, seed: int) -> dict[str, Any]:
    """Intervals and the paired test of a measure that is a metric of columns."""
    intervals = [None if one is None else one.interval(seed=seed) for one in (first, second)]
    told: dict[str, Any] = {"intervals": intervals, "p_value": None}
    if first is None or second is None:
        return told
    # Perplexities of two tokenizers are of different tokens: nothing can be exchanged.
    if _same(first.references, second.references):
        samples = SAMPLES if first.metric in ROW_SUMS else FEWER
        test = permutation_test(
            first.metric,
            first.predictions,
            second.predictions,
            first.references,
            samples=samples,
            seed=seed,
            **first.options,
        )
        told["p_value"] = test["p_value"]
    return told


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return bool(np.array_equal(first, second))
    return bool(list(first) == list(second))


def _paired(first: Sequence[Compared], second: Sequence[Compared], seed: int) -> dict[str, Any]:
    """Whether chance explains the difference of the rows' errors, and of how many are right."""
    errors, others = ([one.error for one in each] for each in (first, second))
    none = [0.0] * len(errors)
    right, also_right = ([not error for error in each] for each in (errors, others))
    return {
        "mean_error": permutation_test("mae", errors, others, none, seed=seed),
        "right": mcnemar(list(map(int, right)), list(map(int, also_right)), [1] * len(right))
        if any(right) or any(also_right)
        else None,
    }
