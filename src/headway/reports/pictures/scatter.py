"""Predicted against true numbers, and how the errors spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, SOFT, WIDTH, Picture, draw, quiet
from headway.reports.words import count, decimals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cosines", "residuals", "scatter"]


def scatter(report: dict[str, Any]) -> Picture | None:
    """A dot a text: on the diagonal it is predicted exactly."""
    points = report["test"].get("points") or []
    if not points:
        return None

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        low, high = (f(v for point in points for v in point) for f in (min, max))
        room = 0.04 * (high - low) or 1.0
        ends = [low - room, high + room]
        axes.plot(ends, ends, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        x, y = ([point[i] for point in points] for i in (0, 1))
        axes.scatter(x, y, s=16, color=BLUE, alpha=0.45, linewidths=0)
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
        axes.set_aspect("equal")
        axes.set_xlabel("true")
        axes.set_ylabel("predicted")
        quiet(axes, grid="both")

    n, total = len(points), report["test"].get("n") or len(points)
    shown = f"{count(n)} of {count(total)} texts." if n < total else f"{count(n)} texts."
    return Picture(
        "scatter",
        "Predicted and true values",
        f"{shown} On the dashed line the prediction is exact.",
        draw(
            "scatter",
            f"Scatter plot of predicted against true values of {count(n)} texts, Pearson "
            f"{decimals(report['test'].get('pearson'))}.",
            (WIDTH, 380),
            paint,
        ),
        WIDTH,
    )


def cosines(report: dict[str, Any]) -> Picture | None:
    """A dot a pair: a cloud that rises to the right has the order that people gave."""
    points = report["test"].get("points") or []
    if not points:
        return None

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        x, y = ([point[i] for point in points] for i in (0, 1))
        axes.scatter(x, y, s=16, color=BLUE, alpha=0.45, linewidths=0)
        axes.set_xlabel("true score")
        axes.set_ylabel("cosine")
        quiet(axes, grid="both")

    n, total = len(points), report["test"].get("n") or len(points)
    shown = f"{count(n)} of {count(total)} pairs." if n < total else f"{count(n)} pairs."
    return Picture(
        "cosines",
        "Cosines beside the true scores",
        f"{shown} The more they rise together, the better; their units differ.",
        draw(
            "cosines",
            f"Scatter plot of cosines against true scores of {count(n)} pairs, Spearman "
            f"{decimals(report['test'].get('spearman'))}.",
            (WIDTH, 300),
            paint,
        ),
        WIDTH,
    )


def residuals(report: dict[str, Any]) -> Picture | None:
    """A histogram of predicted minus true."""
    points = report["test"].get("points") or []
    if not points:
        return None
    errors = [predicted - true for true, predicted in points]
    mean = sum(errors) / len(errors)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.hist(errors, bins=31, color=BLUE, rwidth=0.92)
        axes.axvline(0, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.set_xlabel("predicted minus true")
        axes.set_ylabel("texts")
        quiet(axes, grid="y")

    return Picture(
        "residuals",
        "How far off",
        f"Mean error {decimals(mean)}: above 0 the model says too much, below too little.",
        draw("residuals", f"Histogram of errors, mean {decimals(mean)}.", (WIDTH, 250), paint),
        WIDTH,
    )
