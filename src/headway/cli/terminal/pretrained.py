"""What a pre-training measured, as text on a terminal."""

from __future__ import annotations

import shlex
from typing import Any

import click

from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports.pretrained import forgotten_lines, pretrained_headline, pretrained_rows
from headway.reports.words import count

__all__ = ["show_pretrained"]


def show_pretrained(report: dict[str, Any], folder: str) -> None:
    """What it told of held-out text before and after, what it forgot, and what is next."""
    found = pretrained_rows(report)
    if found:
        rows = table(["text", "measure", "before", "after", "difference"], right=(2, 3, 4))
        for row in found:
            rows.add_row(*row)
        show(rows)
        say()
    headline = pretrained_headline(report)
    say_prose(f"{headline[0].upper()}{headline[1:]}.")
    for line in forgotten_lines(report):
        say_prose(f"{line}.")
    seconds, speed = report["seconds"]["train"], report["tokens_per_second"]
    share = report["utilisation"]["share"]
    used = "" if share is None else f", {share:.0%} of the machine's matrix peak"
    taken = f"{count(report['tokens'])} tokens in {seconds:,.0f} s"
    say_prose(f"{taken}, {count(round(speed))} a second{used}.")
    say()
    say(f"Saved in {click.style(folder, bold=True)}: the model, report.html and README.md.")
    say(f"Next: headway adapt {shlex.quote(folder)} DATA --out DIR")
