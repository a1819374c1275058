"""The learning curve: loss at every step, scores where they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import (
    BLUE,
    ORANGE,
    SOFT,
    WIDTH,
    Picture,
    draw,
    quiet,
)
from headway.reports.sheets import SHEETS, Measure
from headway.reports.words import count, decimals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_POINTS", "Points", "columns", "curve", "loss_curve", "measure_of"]

MOST_POINTS = 400
SMOOTHING = 20  # the bold line is a running mean over a twentieth of the steps

Points = list[tuple[float, float]]


def curve(report: dict[str, Any]) -> Picture | None:
    """Training loss, validation loss and score, and the test score at the end."""
    found = report.get("curve") or {}
    steps = _points(found.get("train") or [], "loss")
    if not steps:
        return None
    validation = found.get("validation") or []
    measure = measure_of(report["kind"], validation)
    held_out, scores = _points(validation, "loss"), _points(validation, measure.key)
    test = report["test"].get(measure.key)
    train, last = _thin(steps), steps[-1][0]

    def paint(figure: Figure) -> None:
        panels = 2 if scores else 1  # of one point there is no curve
        axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
        _paint_loss(axes[0], train, held_out)
        if panels == 2:
            _paint_scores(axes[1], scores, None if test is None else (last, test), measure)
        axes[-1].set_xlabel("step")
        axes[-1].xaxis.get_major_locator().set_params(integer=True)

    title = (
        f"Learning curve over {count(last)} steps: training loss from "
        f"{decimals(train[0][1])} to {decimals(train[-1][1])}."
    )
    if test is not None:
        title += f" Test {measure.name}: {measure.say(test)}."
    shown = "Thin: the loss of each step; bold: its running mean."
    if held_out or scores:
        shown += " Points are held-out measurements."
    said = dict(scores)
    rows = [(f"{s:g}", decimals(loss), measure.say(said.get(s))) for s, loss in held_out]
    return Picture(
        "curve",
        "Learning curve",
        shown,
        draw("curve", title, (WIDTH, 330 if scores else 200), paint),
        WIDTH,
        ("step", "validation loss", measure.name) if rows else (),
        rows,
    )


def loss_curve(
    train: Sequence[dict[str, Any]], held_out: Sequence[dict[str, Any]], key: str
) -> Picture | None:
    """Training loss and that on held-out text, of a run that has no other score.

    Args:
        train: an entry a step.
        held_out: an entry a measurement.
        key: of the held-out loss in its entries.
    """
    steps, measured = _points(train, "loss"), _points(held_out, key)
    if not steps:
        return None
    thin, last = _thin(steps), steps[-1][0]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        _paint_loss(axes, thin, measured)
        axes.autoscale(axis="y")  # of text, no loss comes near 0
        axes.set_xlabel("step")

    title = (
        f"Loss over {count(last)} steps: from {decimals(thin[0][1])} to {decimals(thin[-1][1])}."
    )
    shown = "Thin: the loss of each step; bold: its running mean; points: held-out text."
    rows = [(f"{step:g}", decimals(loss)) for step, loss in measured]
    svg = draw("curve", title, (WIDTH, 240), paint)
    return Picture("curve", "Loss", shown, svg, WIDTH, ("step", "held-out loss"), rows)


def measure_of(kind: str, validation: Sequence[dict[str, Any]]) -> Measure:
    """The first measure of a kind of answers that the validation rows were scored by."""
    measures = SHEETS[kind].measures
    scored = (m for m in measures if any(entry.get(m.key) is not None for entry in validation))
    return next(scored, measures[0])


def _paint_loss(axes: Axes, train: Points, held_out: Points) -> None:
    axes.plot(*columns(train), color=BLUE, alpha=0.3, linewidth=1)
    axes.plot(*columns(_smooth(train)), color=BLUE, linewidth=2, label="training")
    if held_out:
        axes.plot(*columns(held_out), "o-", color=ORANGE, markersize=4, label="validation")
        axes.legend(frameon=False, labelcolor=SOFT)
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=min(0.0, *(loss for _, loss in train)))
    quiet(axes, grid="y")


def _paint_scores(
    axes: Axes, scores: Points, test: tuple[float, float] | None, measure: Measure
) -> None:
    if scores:
        axes.plot(*columns(scores), "o-", color=ORANGE, markersize=4)
    if test is not None:
        axes.plot([test[0]], [test[1]], "D", color=BLUE, markersize=7, clip_on=False)
        axes.annotate(
            f"test {measure.say(test[1])}",
            test,
            xytext=(-9, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )
    axes.set_ylabel(measure.name)
    axes.margins(y=0.25)
    axes.yaxis.set_major_formatter(measure.say_tick)
    quiet(axes, grid="y")


def _points(entries: Sequence[dict[str, Any]], key: str) -> Points:
    return [
        (float(entry["step"]), float(entry[key])) for entry in entries if entry.get(key) is not None
    ]


def columns(points: Points) -> tuple[list[float], list[float]]:
    """All x, and all y."""
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
