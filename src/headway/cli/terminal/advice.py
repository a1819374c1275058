"""Ways to adapt that were tried, as text on a terminal."""

from __future__ import annotations

from headway.adaptation.advise import Advice
from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports.sheets import SHEETS, Measure
from headway.reports.words import count, megabytes, seconds

__all__ = ["show_advice"]


def show_advice(advice: Advice) -> None:
    """A line a way, and which to take."""
    measure = _measure(advice.measure)
    rows = table(
        ["method", measure.name, "95% interval", "learned", "time", "steps", "peak memory"],
        right=(1, 3, 4, 5, 6),
    )
    for one in advice.tried:
        rows.add_row(
            one.method,
            measure.say(one.score),
            " to ".join(map(measure.say, one.interval)),
            count(one.learned),
            seconds(one.seconds),
            count(one.steps),
            megabytes(one.peak_memory_mb),
        )
    show(rows)
    say()
    say_prose(f"{advice.why[0].upper()}{advice.why[1:]}.")
    say(f"Next: headway adapt ... --method {advice.method} --out DIR")


def _measure(key: str) -> Measure:
    every = (measure for sheet in SHEETS.values() for measure in sheet.measures)
    return next(measure for measure in every if measure.key == key)
