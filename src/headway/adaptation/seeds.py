"""One adaptation with several seeds: how much of its result is chance."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headway.adaptation.adapt import Result, adapt
from headway.adaptation.rows import Data, prepare_rows
from headway.adaptation.runs import done_run
from headway.adaptation.settings import settings_from
from headway.loading import load
from headway.logs import log
from headway.reports import write_report
from headway.reports.sheets import SHEETS
from headway.tasks import task_named

__all__ = ["adapt_seeds"]


def adapt_seeds(
    model: str | Path, data: Data, *, out: str | Path, first: int, count: int, **options: Any
) -> Result:
    """Adapts anew with seeds first, first + 1, ...; the report of the first tells of all.

    With `resume`, seeds that are done are taken as they are, and the one that was killed goes on.

    Args:
        model: the name of a model, loaded for every seed.
        data: as in `adapt`.
        out: where the first run is saved; the others lie below it, in `seed-K`.
        first: the first seed.
        count: how many.
        options: of `adapt`.

    Returns:
        The first run, whose report has a list `seeds`, one dict of measures a seed; or the one
        that was interrupted, with what came before it saved.

    Raises:
        InputError: as `adapt` does.
    """
    folder = Path(out)
    done = _done_runs(model, data, options) if options.get("resume") else _none_done
    log.info("seed %d, 1 of %d", first, count)
    if report := done(folder, first):
        log.info("it is done")
        whole = Result(load(folder), report, folder)
    else:
        whole = adapt(model, data, out=out, seed=first, **options)
    if whole.interrupted:
        return whole
    measures = [_measures(whole.report)]
    for seed in range(first + 1, first + count):
        log.info("seed %d, %d of %d", seed, len(measures) + 1, count)
        place = folder / f"seed-{seed}"
        if report := done(place, seed):
            log.info("it is done")
        else:
            other = adapt(model, data, out=place, seed=seed, **options)
            if other.interrupted:
                return other
            report = other.report
            del other  # its model is saved, and the next one needs the memory
        measures.append(_measures(report))
    whole.report["seeds"] = measures
    write_report(whole.report, out, name=str(out))
    return whole


def _none_done(place: Path, seed: int) -> dict[str, Any]:
    """No report: every seed is run."""
    return {}


def _done_runs(
    model: str | Path, data: Data, options: Mapping[str, Any]
) -> Callable[[Path, int], dict[str, Any]]:
    """(folder, seed) -> the report of the run that came to its end there, or an empty one."""
    settings = dict(options)
    test, _ = settings.pop("test", None), settings.pop("command", None)
    task = settings.pop("task", "text-classification")
    chosen = settings_from(settings)
    learned = task_named(task, chosen.design, chosen.head)
    fingerprint = prepare_rows(learned, data, chosen, test=test).fingerprint

    def done(place: Path, seed: int) -> dict[str, Any]:
        asked = dataclasses.replace(chosen, seed=seed)
        return done_run(place, asked, model=str(model), task=task, fingerprint=fingerprint)

    return done


def _measures(report: dict[str, Any]) -> dict[str, Any]:
    """The seed, the measures, and the baseline's main one."""
    keys = [measure.key for measure in SHEETS[report["kind"]].measures]
    there = {key: report["test"][key] for key in keys if report["test"].get(key) is not None}
    found = {"seed": report["seed"], **there}
    if report["baseline"] is not None:
        found[f"baseline_{keys[0]}"] = report["baseline"][keys[0]]
    return found
