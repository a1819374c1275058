"""Scores over the number of labels, a line for each way."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, ORANGE, SOFT, WIDTH, Picture, draw, quiet
from headway.reports.words import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["label_curve"]

STYLES = ((BLUE, "o-"), (ORANGE, "s--"), (SOFT, "^:"), (INK, "D-."))


def label_curve(found: dict[str, Any]) -> Picture:
    """Mean scores with the range of the seeds, over a logarithm of labels a class."""
    ways: dict[str, dict[int, list[float]]] = {}
    for point in found["points"]:
        scores = ways.setdefault(point["way"], {})
        scores.setdefault(int(point["labels"]), []).append(point["score"])
    numbers = sorted({n for scores in ways.values() for n in scores})

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for (colour, style), (way, scores) in zip(STYLES, ways.items(), strict=False):
            means = [statistics.mean(scores[n]) for n in numbers]
            low, high = ([end(scores[n]) for n in numbers] for end in (min, max))
            axes.fill_between(numbers, low, high, color=colour, alpha=0.12, linewidth=0)
            axes.plot(numbers, means, style, color=colour, linewidth=2, markersize=5, label=way)
        axes.set_xscale("log")
        axes.set_xticks(numbers, [str(n) for n in numbers])
        axes.minorticks_off()
        axes.set_xlabel("labels a class")
        axes.set_ylabel(found["measure"].replace("_", " "), color=SOFT)
        axes.yaxis.set_major_formatter(lambda share, _: percent(share))
        axes.legend(frameon=False, labelcolor=SOFT)
        quiet(axes, grid="y")

    first = next(iter(ways))
    title = (
        f"{first}: {percent(statistics.mean(ways[first][numbers[0]]))} with {numbers[0]} labels a "
        f"class, {percent(statistics.mean(ways[first][numbers[-1]]))} with {numbers[-1]}."
    )
    shown = "Lines are means over the seeds, bands go from the lowest to the highest."
    svg = draw("label-curve", title, (WIDTH, 300), paint)
    return Picture("label-curve", "Scores over labels", shown, svg, WIDTH)
