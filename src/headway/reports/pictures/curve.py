"""The learning curve: loss at every step, scores where they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, ORANGE, SOFT, Picture, draw, quiet, say_percent
from headway.reports.results import main_measure
from headway.reports.words import count, decimals

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curve"]

MOST_POINTS = 400
SMOOTHING = 20  # the bold line is a running mean over a twentieth of the steps

Points = list[tuple[float, float]]


def curve(report: dict[str, Any]) -> Picture | None:
    """Training loss, validation loss and score, and the test score at the end."""
    found = report.get("curve") or {}
    steps = _points(found.get("train") or [], "loss")
    if not steps:
        return None
    train = _thin(steps)
    measure = main_measure(report)
    held_out = _points(found.get("validation") or [], "loss")
    scores = _points(found.get("validation") or [], measure.key)
    test = report["test"].get(measure.key)
    last = steps[-1][0]

    def paint(figure: Figure) -> None:
        with_scores = bool(scores) or test is not None
        panels = figure.subplots(2 if with_scores else 1, 1, sharex=True, squeeze=False)[:, 0]
        top = panels[0]
        top.plot(*_columns(train), color=BLUE, alpha=0.3, linewidth=1)
        top.plot(*_columns(_smooth(train)), color=BLUE, linewidth=2, label="training")
        if held_out:
            top.plot(*_columns(held_out), "o-", color=ORANGE, markersize=4, label="validation")
        top.set_ylabel("loss")
        top.set_ylim(bottom=0)
        quiet(top, grid="y")
        if held_out:
            top.legend(frameon=False, labelcolor=SOFT)
        if with_scores:
            below = panels[1]
            if scores:
                below.plot(*_columns(scores), "o-", color=ORANGE, markersize=4, label="validation")
            if test is not None:
                below.plot(
                    [last], [test], "D", color=BLUE, markersize=7, label="test", clip_on=False
                )
            below.set_ylabel(measure.name.lower())
            below.margins(y=0.15)
            if measure.share:
                below.yaxis.set_major_formatter(say_percent)
            below.legend(frameon=False, labelcolor=SOFT, loc="best")
            quiet(below, grid="y")
        panels[-1].set_xlabel("step")

    title = (
        f"Learning curve over {count(last)} steps: training loss from "
        f"{decimals(train[0][1])} to {decimals(train[-1][1])}."
    )
    if test is not None:
        title += f" Test {measure.name.lower()} {measure.say(test)}."
    rows = [
        (f"{step:g}", decimals(loss), measure.say(dict(scores).get(step)))
        for step, loss in held_out
    ]
    return Picture(
        "curve",
        "Learning curve",
        "Thin: the loss of each step; bold: its running mean. Points are held-out measurements.",
        draw("curve", title, (440, 330), paint),
        440,
        ("step", "validation loss", measure.name.lower()) if rows else (),
        rows,
    )


def _points(entries: Sequence[dict[str, Any]], key: str) -> Points:
    return [
        (float(entry["step"]), float(entry[key])) for entry in entries if entry.get(key) is not None
    ]


def _columns(points: Points) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _thin(points: Points) -> Points:
    """Means of equal blocks, so that a run of a million steps makes no larger page."""
    size = -(-len(points) // MOST_POINTS)
    blocks = [points[i : i + size] for i in range(0, len(points), size)]
    return [(b[-1][0], sum(y for _, y in b) / len(b)) for b in blocks]


def _smooth(points: Points) -> Points:
    half = len(points) // (2 * SMOOTHING)
    near = [points[max(0, i - half) : i + half + 1] for i in range(len(points))]
    return [(x, sum(y for _, y in w) / len(w)) for (x, _), w in zip(points, near, strict=True)]
