"""Results of data steps on a terminal: what was made and why, what is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.text import Text

from headway.cli.terminal.output import say, say_prose, show, table
from headway.data.cache import Entry, Made
from headway.reports.plain import printable
from headway.reports.words import count, file_size, plural, seconds, shorten

__all__ = ["DIGITS", "show_entries", "show_made", "show_one"]

DIGITS = 8
"""How many digits of a key are shown."""

STEP = 30  # characters of a step's name
VALUE = 64


def show_made(made: Sequence[Made]) -> None:
    """Two lines for each result, the newest first: what it is, and why it was made."""
    steps = [_step(one) for one in made]
    width = max(map(len, steps), default=0)
    for one, step in zip(made, steps, strict=True):
        size = f"{count(one.rows)} rows, {file_size(one.bytes)}, {seconds(one.seconds)}"
        say(f"{one.key[:DIGITS]}  {_when(one.when)}  {step:{width}}  {size}")
        why = ", ".join(one.why) + (" (resumed)" if one.resumed else "")
        say_prose(printable(why), indent=" " * (DIGITS + 2))


def show_one(one: Made) -> None:
    """One result with all that its key was made of."""
    say(f"{printable(_step(one))}, {_when(one.when)}, {plural(one.rows or 0, 'row')}: {one.key}")
    say()
    for reason in one.why:
        say(f"  {printable(reason)}")
    rows = table(["part of the key", "value"])
    for name, value in one.parts.items():
        rows.add_row(Text(printable(name)), Text(shorten(printable(value), VALUE)))
    show(rows)


def show_entries(entries: Sequence[Entry], most: int) -> None:
    """What is kept, the last used first, and how much room it takes."""
    total = sum(entry.bytes for entry in entries)
    kept = f"{plural(len(entries), 'result')}, {file_size(total)}"
    say(f"{kept} of at most {file_size(most)}")
    if not entries:
        return
    rows = table(["key", "last used", "step", "size"], right=(3,))
    for entry in entries:
        cells = [entry.key[:DIGITS], _when(entry.used), _step(entry), file_size(entry.bytes)]
        rows.add_row(*map(Text, cells))
    show(rows)


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _step(one: Made | Entry) -> str:
    return shorten(printable(one.parts.get("step", "")), STEP)
