"""One adaptation with several seeds: how much of its result is chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.adaptation.adapt import Result, adapt
from headway.adaptation.rows import Data
from headway.logs import log
from headway.reports import write_report
from headway.reports.sheets import SHEETS

__all__ = ["adapt_seeds"]


def adapt_seeds(
    model: str | Path, data: Data, *, out: str | Path, first: int, count: int, **options: Any
) -> Result:
    """Adapts anew with seeds first, first + 1, ...; the report of the first tells of all.

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
    log.info("seed %d, 1 of %d", first, count)
    whole = adapt(model, data, out=out, seed=first, **options)
    if whole.interrupted:
        return whole
    measures = [_measures(whole.report)]
    for seed in range(first + 1, first + count):
        log.info("seed %d, %d of %d", seed, len(measures) + 1, count)
        other = adapt(model, data, out=Path(out) / f"seed-{seed}", seed=seed, **options)
        if other.interrupted:
            return other
        measures.append(_measures(other.report))
        del other  # its model is saved, and the next one needs the memory
    whole.report["seeds"] = measures
    write_report(whole.report, out, name=str(out))
    return whole


def _measures(report: dict[str, Any]) -> dict[str, Any]:
    """The seed, the measures, and the baseline's main one."""
    keys = [measure.key for measure in SHEETS[report["kind"]].measures]
    there = {key: report["test"][key] for key in keys if report["test"].get(key) is not None}
    found = {"seed": report["seed"], **there}
    if report["baseline"] is not None:
        found[f"baseline_{keys[0]}"] = report["baseline"][keys[0]]
    return found
