"""F1 of each label as bars, for several labels a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, WIDTH, Picture, draw, quiet, say_percent
from headway.reports.sheets import SHEETS
from headway.reports.words import count, percent, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["label_bars"]

MOST_BARS = 30


def label_bars(report: dict[str, Any]) -> Picture | None:
    """The labels from best to worst F1; of more than 30 only the worst."""
    per_label = report["test"].get("per_label") or {}
    if not per_label:
        return None
    ordered = sorted(per_label.items(), key=lambda item: -(item[1].get("f1") or 0.0))
    shown = ordered[-MOST_BARS:]
    names = [f"{shorten(name, 24)} ({count(s.get('support'))})" for name, s in shown]
    scores = [s.get("f1") or 0.0 for _, s in shown]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        place = range(len(shown), 0, -1)
        axes.barh(place, scores, height=0.7, color=BLUE)
        for y, score in zip(place, scores, strict=True):
            axes.text(score + 0.01, y, percent(score), va="center", size=11, color=INK)
        axes.set_yticks(place, names)
        axes.set_xlim(0, 1.12)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
        axes.xaxis.set_major_formatter(say_percent)
        axes.margins(y=0.01)
        quiet(axes, grid="x", keep=())

    kept = "" if len(shown) == len(ordered) else f" The {MOST_BARS} worst of {len(ordered)} labels."
    title = (
        f"F1 by label: best {ordered[0][0]} {percent(ordered[0][1].get('f1'))}, worst "
        f"{ordered[-1][0]} {percent(ordered[-1][1].get('f1'))}."
    )
    return Picture(
        "label-bars",
        "F1 by label",
        f"In brackets the {SHEETS[report['kind']].support} that have the label.{kept}",
        draw("label-bars", title, (WIDTH, 60 + 24 * len(shown)), paint),
        WIDTH,
    )
