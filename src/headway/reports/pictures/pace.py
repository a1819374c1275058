"""How fast a run learns: its learning rate, and the tokens that it reads in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, ORANGE, WIDTH, Picture, draw, quiet
from headway.reports.pictures.curve import Points, columns
from headway.reports.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["pace"]


def pace(report: dict[str, Any]) -> Picture | None:
    """Learning rate and throughput over the steps.

    Args:
        report: with `curve`, whose `train` has step and learning_rate, and where they are known
            tokens and seconds; a row may stand for several steps.
    """
    steps = (report.get("curve") or {}).get("train") or []
    rates: Points = [(row["step"], row["learning_rate"]) for row in steps]
    taken = [row for row in steps if row.get("seconds")]
    speeds: Points = [(row["step"], row["tokens"] / row["seconds"]) for row in taken]
    if not speeds:
        return None

    def paint(figure: Figure) -> None:
        top, below = figure.subplots(2, 1, sharex=True)
        top.plot(*columns(rates), color=ORANGE, linewidth=2)
        top.set_ylabel("learning rate")
        top.yaxis.set_major_formatter(lambda rate, _: f"{rate:.3g}")
        below.plot(*columns(speeds), color=BLUE, linewidth=1.5)
        below.set_ylabel("tokens a second")
        below.yaxis.set_major_formatter(lambda speed, _: count(speed))
        below.set_xlabel("step")
        below.xaxis.get_major_locator().set_params(integer=True)
        for axes in (top, below):
            axes.set_ylim(bottom=0)
            quiet(axes, grid="y")
        figure.align_ylabels()

    title = (
        f"Learning rate, now {rates[-1][1]:.3g}, and tokens a second, "
        f"last {count(speeds[-1][1])}, over {count(rates[-1][0])} steps."
    )
    return Picture(
        "pace",
        "Learning rate and throughput",
        "Tokens a second are those of the steps alone: validation is not counted.",
        draw("pace", title, (WIDTH, 330), paint),
        WIDTH,
    )
