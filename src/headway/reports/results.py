"""What a run measured, beside the baseline: the rows that page, card and command line show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headway.reports.sheets import SHEETS, Measure
from headway.reports.words import count, decimals

__all__ = [
    "ResultRow",
    "SeedRow",
    "clearly_different",
    "headline",
    "result_columns",
    "result_rows",
    "seed_rows",
]

Report = dict[str, Any]


@dataclass(frozen=True)
class ResultRow:
    """One measure of the model and of the baseline, as numbers; `text` prints them."""

    measure: Measure
    value: float
    interval: tuple[float, float] | None
    baseline: float | None
    baseline_interval: tuple[float, float] | None

    @property
    def difference(self) -> float | None:
        """Model minus baseline."""
        return None if self.baseline is None else self.value - self.baseline

    @property
    def better(self) -> bool:
        """Whether the model is on the good side of the baseline."""
        difference = self.difference or 0.0
        return difference > 0 if self.measure.larger_is_better else difference < 0

    @property
    def text(self) -> tuple[str, str, str, str, str]:
        """Measure, model, its 95% interval, baseline, difference."""
        say = self.measure.say
        baseline = say(self.baseline)
        if self.baseline_interval:
            baseline += f" ({_range(self.measure, self.baseline_interval)})"
        return (
            self.measure.name,
            say(self.value),
            _range(self.measure, self.interval),
            baseline,
            self.measure.say_difference(self.difference),
        )


@dataclass(frozen=True)
class SeedRow:
    """One measure over several seeds: its mean and the 95% interval of that mean."""

    name: str
    mean: float
    half_width: float
    values: tuple[float, ...]
    key: str = ""

    def text(self, kind: str) -> tuple[str, str, str]:
        """Name, mean with its interval, and each seed, in the units of the kind's measures."""
        key = self.key.removeprefix("baseline_")
        measure = next((one for one in SHEETS[kind].measures if one.key == key), None)
        say, name = (decimals, self.name) if measure is None else (measure.say, measure.name)
        if measure is not None and key != self.key:
            name = f"Baseline {name[0].lower() if name[1:2].islower() else name[0]}{name[1:]}"
        mean = f"{say(self.mean)} ± {say(self.half_width)}"
        return name, mean, ", ".join(map(say, self.values))


def result_rows(report: Report) -> list[ResultRow]:
    """The measures that the run has, model beside baseline."""
    test, baseline = report["test"], report.get("baseline") or {}
    rows = []
    for i, measure in enumerate(SHEETS[report["kind"]].measures):
        if test.get(measure.key) is None:
            continue
        rows.append(
            ResultRow(
                measure,
                test[measure.key],
                _interval(test) if i == 0 else None,
                baseline.get(measure.key),
                _interval(baseline) if i == 0 else None,
            )
        )
    return rows


def result_columns(report: Report) -> list[str]:
    """What stands above the texts of the rows; without a baseline these are fewer."""
    baseline = report.get("baseline")
    beside = [baseline.get("name", "Baseline"), "difference"] if baseline else []
    return ["", "this model", "95% interval", *beside]


def headline(report: Report) -> str:
    """The result in one sentence, with the interval and the distance to the baseline."""
    rows = result_rows(report)
    if not rows:
        return "Nothing was measured."
    row, n = rows[0], count(report["test"].get("n"))
    what = SHEETS[report["kind"]].headline.format(value=row.text[1], n=n)
    what = what[0].upper() + what[1:]
    said = what + (f", 95% interval {row.text[2]}" if row.interval else "")
    if row.baseline is None:
        return said + "."
    return f"{said}; {_comparison(row, report['baseline'].get('name', 'the baseline'))}."


def clearly_different(row: ResultRow) -> bool | None:
    """True where the two intervals do not meet; None where there is nothing to compare."""
    if row.baseline is None or row.interval is None:
        return None
    low, high = row.baseline_interval or (row.baseline, row.baseline)
    return row.interval[0] > high or row.interval[1] < low


def _comparison(row: ResultRow, name: str) -> str:
    difference = row.difference or 0.0
    unit = " points" if row.measure.share else ""
    size = row.measure.say_difference(abs(difference)).lstrip("+") + unit
    has = row.measure.say(row.baseline)
    # A name that ends in brackets takes the value into them.
    named = f"{name[:-1]}, {has})" if name.endswith(")") else f"{name} ({has})"
    where = f"{size} {'above' if difference > 0 else 'below'} {named}"
    if not row.measure.larger_is_better:
        where += ", which is better" if row.better else ", which is worse"
    if size.startswith(("0.0 ", "0.000")):
        where = f"the same as {name}"
    return where if clearly_different(row) else f"{where}, not clearly different"


def seed_rows(seeds: Sequence[dict[str, Any]]) -> list[SeedRow]:
    """Mean and 95% interval (Student's t over the seeds) of every measure that all seeds have.

    Two seeds or more; with fewer there is no interval, and the list is empty.
    """
    if len(seeds) < 2:
        return []
    keys = [key for key in seeds[0] if key != "seed" and all(_number(s.get(key)) for s in seeds)]
    return [_seed_row(key, tuple(float(s[key]) for s in seeds)) for key in keys]


def _seed_row(key: str, values: tuple[float, ...]) -> SeedRow:
    from scipy.special import stdtrit

    n = len(values)
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    name = key[0].upper() + key[1:].replace("_", " ").replace("f1", "F1")
    half = float(stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n)
    return SeedRow(name, mean, half, values, key)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(part: dict[str, Any]) -> tuple[float, float] | None:
    found = part.get("confidence_interval_95")
    return (found[0], found[1]) if found and None not in found else None


def _range(measure: Measure, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "–"
    return f"{measure.say(interval[0])} to {measure.say(interval[1])}"
