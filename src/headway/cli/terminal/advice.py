"""Ways to adapt that were tried, as text on a terminal."""

from __future__ import annotations

from headway.adaptation.advise import Advice
from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports.sheets import SHEETS, Measure
from headway.reports.words import count, megabytes

__all__ = ["show_advice"]


def show_advice(advice: Advice) -> None:
    """A line a way, and which to take."""
    measure = _measure(advice.measure)
    names = ["method", measure.name, "95% interval", "learned", "time", "memory"]
    rows = table(names, right=(1, 3, 4, 5))
    for one in advice.tried:
        rows.add_row(
            one.method,
            measure.say(one.score),
            " to ".join(map(measure.say, one.interval)),
            count(one.learned) if one.learned < 10**6 else f"{one.learned / 1e6:,.1f} M",
            f"{one.seconds:,.0f} s",
            megabytes(one.peak_memory_mb),
        )
    show(rows)
    say()
    say_prose(f"{advice.why[0].upper()}{advice.why[1:]}.")
    say(f"Next: headway adapt ... --method {advice.method} --out DIR")


def _measure(key: str) -> Measure:
    every = (measure for sheet in SHEETS.values() for measure in sheet.measures)
    return next(measure for measure in every if measure.key == key)
