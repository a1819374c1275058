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
    say_percent,
)
from headway.reports.results import result_rows

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
            axes.plot([x], [y], "o", color=colour, markersize=9)
            axes.annotate(
                f"{label}  {row.measure.say(x)}",
                (x, y),
                xytext=(0, 11),
                textcoords="offset points",
                ha="center",
                color=INK,
            )
        low = min(low for _, _, (low, _), _ in dots)
        high = max(high for _, _, (_, high), _ in dots)
        room = max(0.6 * (high - low), 0.02)
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(-0.4, 1.75)
        axes.set_yticks([])
        axes.set_xticks(
            [x for x in axes.get_xticks() if low - room <= x <= min(1 + 1e-9, high + room)]
        )
        if row.measure.share:
            axes.xaxis.set_major_formatter(say_percent)
        quiet(axes, grid="x", keep=())

    title = (
        f"{row.measure.name}: this model {row.text[1]}, 95% interval {row.text[2]}; {name} "
        f"{row.text[3]}."
    )
    return Picture(
        "intervals",
        f"{row.measure.name} beside the baseline",
        "Dots are measured on the same test texts; bars are 95% intervals.",
        draw("intervals", title, (WIDTH, 130), paint),
        WIDTH,
    )
