"""Model and baseline on one scale, with their 95% intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import (
    BLUE,
    INK,
    SOFT,
    WIDTH,
    Picture,
    draw,
    quiet,
)
from headway.reports.results import result_rows
from headway.reports.sheets import SHEETS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["intervals"]


def intervals(report: dict[str, Any]) -> Picture | None:
    """Two dots with bars: bars that do not meet are a difference beyond chance."""
    rows = result_rows(report)
    if not rows or rows[0].interval is None or rows[0].baseline is None:
        return None
    row = rows[0]
    value, mid = row.value, row.baseline
    if mid is None or row.interval is None:
        return None
    name = report["baseline"].get("name", "Baseline")
    dots = [
        ("This model", value, row.interval, BLUE),
        (name, mid, row.baseline_interval or (mid, mid), SOFT),
    ]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for y, (label, x, (low, high), colour) in zip((1, 0), dots, strict=True):
            axes.plot([low, high], [y, y], color=colour, linewidth=6, alpha=0.35)
            axes.plot([x], [y], "o", color=colour, markersize=9, clip_on=False)
            axes.annotate(
                f"{label}  {row.measure.say(x)}",
                (0, y),
                xycoords=("axes fraction", "data"),
                xytext=(0, 11),
                textcoords="offset points",
                color=INK,
            )
        low = min(low for _, _, (low, _), _ in dots)
        high = max(high for _, _, (_, high), _ in dots)
        room = max(0.6 * (high - low), 0.02)
        ends = (low - room, high + room)
        if row.measure.share:
            ends = (max(0.0, ends[0]), min(1.0, ends[1]))
        axes.set_xlim(*ends)
        axes.set_ylim(-0.4, 1.75)
        axes.set_yticks([])
        axes.set_xticks([x for x in axes.get_xticks() if ends[0] <= x <= ends[1] + 1e-9])
        axes.xaxis.set_major_formatter(row.measure.say_tick)
        quiet(axes, grid="x", keep=())

    rows_named = SHEETS[report["kind"]].rows
    title = (
        f"{row.measure.name}: this model {row.text[1]}, 95% interval {row.text[2]}; {name} "
        f"{row.text[3]}."
    )
    return Picture(
        "intervals",
        f"{row.measure.name} beside the baseline",
        f"Dots are measured on the same test {rows_named}; bars are 95% intervals.",
        draw("intervals", title, (WIDTH, 130), paint),
        WIDTH,
    )
