"""The reliability diagram: said confidence against measured accuracy, with counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, SOFT, WIDTH, Picture, draw, quiet, say_percent
from headway.reports.words import count, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["reliability"]


def reliability(report: dict[str, Any]) -> Picture | None:
    """A point a bin, on the diagonal if the model is right as often as it says."""
    found = report["test"].get("calibration") or {}
    bins = [b for b in found.get("bins") or [] if b.get("count")]
    if not bins:
        return None
    confidence = [b["confidence"] for b in bins]
    accuracy = [b["accuracy"] for b in bins]
    counts = [b["count"] for b in bins]
    error = found.get("expected_calibration_error")

    def paint(figure: Figure) -> None:
        top, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        top.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        for x, y in zip(confidence, accuracy, strict=True):
            top.plot([x, x], [x, y], color=BLUE, alpha=0.35, linewidth=4, solid_capstyle="butt")
        top.plot(confidence, accuracy, "o-", color=BLUE, markersize=6)
        top.set_ylabel("right")
        top.set_ylim(0, 1.02)
        top.yaxis.set_major_formatter(say_percent)
        quiet(top, grid="both")
        below.bar(confidence, counts, width=0.07, color=BLUE, alpha=0.6)
        below.set_ylabel("texts")
        below.set_xlabel("confidence")
        below.set_xlim(0, 1.02)
        below.xaxis.set_major_formatter(say_percent)
        quiet(below, grid="y")
        figure.align_ylabels()

    worst = max(bins, key=lambda b: b["count"])
    title = (
        f"Reliability diagram; expected calibration error {percent(error)}. In the fullest bin the "
        f"model says {percent(worst['confidence'])} and is right {percent(worst['accuracy'])} of "
        f"{count(worst['count'])} times."
    )
    return Picture(
        "reliability",
        "Does its confidence mean something?",
        "On the dashed line the model is right as often as it says; above it is too modest, below "
        "too sure.",
        draw("reliability", title, (WIDTH, 360), paint),
        WIDTH,
        ("confidence", "right", "texts"),
        [(percent(b["confidence"]), percent(b["accuracy"]), count(b["count"])) for b in bins],
    )
