"""The result as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.reports.results import result_rows, seed_rows
from headway.reports.sheets import SHEETS
from headway.reports.words import decimals, percent

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["result_table", "seed_table"]


def result_table(report: dict[str, Any]) -> Table:
    """The model beside the baseline, if there is one, for `rich.console.Console.print`.

    `headway.reports.result_rows(report)` gives the same rows as numbers.
    """
    from rich.text import Text

    baseline = report.get("baseline")
    beside = [baseline.get("name", "baseline"), "difference"] if baseline else []
    headers = ["", "this model", "95% interval", *beside]
    table = _table(headers)
    for row in result_rows(report):
        measure, value, *rest = row.text[: len(headers)]
        # Text objects, since rich reads [brackets] in plain strings as markup.
        table.add_row(Text(measure), Text(value, style="bold"), *map(Text, rest))
    return table


def seed_table(report: dict[str, Any]) -> Table:
    """Mean and 95% interval over the report's seeds; no rows for fewer than two."""
    from rich.text import Text

    share = all(measure.share for measure in SHEETS[report["kind"]].measures)
    say = percent if share else decimals
    seeds: Sequence[dict[str, Any]] = report.get("seeds") or []
    table = _table([f"{len(seeds)} seeds", "mean ± 95% interval", "each seed"])
    for row in seed_rows(seeds):
        mean = f"{say(row.mean)} ± {say(row.half_width)}"
        table.add_row(*map(Text, (row.name, mean, ", ".join(map(say, row.values)))))
    return table


def _table(headers: list[str]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for i, header in enumerate(headers):
        table.add_column(Text(header), justify="right" if i else "left")
    return table
