"""The rates that were tried, and the loss at each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, ORANGE, SOFT, WIDTH, Picture, draw, quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["rates"]


def rates(report: dict[str, Any]) -> Picture | None:
    """Loss over the learning rate, and the rate that was taken."""
    tried = (report.get("curve") or {}).get("rates") or []
    if not tried:
        return None
    taken = (report.get("settings") or {}).get("learning_rate")

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*tried, strict=True), color=BLUE, linewidth=1.2)
        if taken:
            axes.axvline(taken, color=ORANGE, linewidth=1.2)
            axes.annotate(
                f"{taken:.2g}",
                (taken, 1.0),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                xytext=(4, -10),
                color=ORANGE,
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda rate, _: f"1e{round(math.log10(rate))}")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss of a step", color=SOFT)
        quiet(axes)

    title = f"Loss at {len(tried)} learning rates from {tried[0][0]:.2g} to {tried[-1][0]:.2g}."
    shown = "Each step of a trial had a higher rate; the line marks the one that was taken."
    svg = draw("rates", title, (WIDTH, 200), paint)
    return Picture("rates", "Learning rates tried", shown, svg, WIDTH)
