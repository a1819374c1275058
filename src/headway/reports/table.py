"""The result as a table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.reports.results import result_columns, result_rows, seed_rows

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["result_table", "seed_table"]


def result_table(report: dict[str, Any]) -> Table:
    """The model beside the baseline, if there is one, for `rich.console.Console.print`.

    `headway.reports.result_rows(report)` gives the same rows as numbers.
    """
    from rich.text import Text

    headers = result_columns(report)
    table = _table(headers)
    for row in result_rows(report):
        measure, value, *rest = row.text[: len(headers)]
        # Text objects, since rich reads [brackets] in plain strings as markup.
        table.add_row(Text(measure), Text(value, style="bold"), *map(Text, rest))
    return table


def seed_table(report: dict[str, Any]) -> Table:
    """Mean and 95% interval over the report's seeds; no rows for fewer than two."""
    from rich.text import Text

    seeds: Sequence[dict[str, Any]] = report.get("seeds") or []
    table = _table([f"{len(seeds)} seeds", "mean ± 95% interval", "each seed"])
    for row in seed_rows(seeds):
        table.add_row(*map(Text, row.text(report["kind"])))
    return table


def _table(headers: list[str]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for i, header in enumerate(headers):
        table.add_column(Text(header), justify="right" if i else "left")
    return table
