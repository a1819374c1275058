"""How long the texts are, and where the model's limit lies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, ORANGE, WIDTH, Picture, draw, quiet
from headway.reports.words import count, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["lengths"]

MOST_TICKS = 8


def lengths(report: dict[str, Any]) -> Picture | None:
    """A bar for each range of lengths; those beyond the model's limit in the second colour."""
    found = report.get("lengths") or {}
    histogram = found.get("histogram") or {}
    edges, counts = histogram.get("edges") or [], histogram.get("counts") or []
    if not counts or len(edges) != len(counts) + 1:
        return None
    limit, of = found.get("max_model"), "model's limit"
    if (window := found.get("window")) not in (None, limit):
        limit, of = window, "read at once"
    windowed = found.get("windowed") or 0

    def paint(figure: Figure) -> None:
        import numpy as np

        axes = figure.add_subplot()
        # Ranges are drawn equally wide, whatever they span: the long tail stays in sight.
        place = np.arange(len(counts))
        beyond = [limit is not None and edge >= limit for edge in edges[:-1]]
        colours = [ORANGE if b else BLUE for b in beyond]
        axes.bar(place, counts, width=0.92, align="edge", color=colours)
        step = -(-len(edges) // MOST_TICKS)
        axes.set_xticks(range(0, len(edges), step), [count(e) for e in edges[::step]])
        axes.set_xlabel("tokens a text")
        axes.set_ylabel("texts")
        if limit is not None and edges[0] <= limit <= edges[-1]:
            x = float(np.interp(limit, edges, range(len(edges))))
            axes.axvline(x, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
            right = x < 0.6 * len(counts)
            axes.annotate(
                f"{of} {count(limit)}",
                (x, 1),
                xycoords=("data", "axes fraction"),
                xytext=(5 if right else -5, -10),
                textcoords="offset points",
                ha="left" if right else "right",
            )
        quiet(axes, grid="y")

    over = (
        plural(windowed, "text is longer", "texts are longer") if windowed else "no text is longer"
    )
    ranges = [f"{count(a)} to {count(b)}" for a, b in pairwise(edges)]
    return Picture(
        "lengths",
        "Length of the texts",
        _caption(found),
        draw(
            "lengths",
            f"Histogram of text lengths; {_limit(limit, of)}, {over}.",
            (WIDTH, 250),
            paint,
        ),
        WIDTH,
        ("tokens", "texts"),
        [(span, count(n)) for span, n in zip(ranges, counts, strict=True)],
    )


def _limit(limit: int | None, of: str) -> str:
    return "the model has no limit" if limit is None else f"{of}: {count(limit)} tokens"


def _caption(found: dict[str, Any]) -> str:
    if left_out := found.get("left_out"):
        return (
            f"{plural(left_out, 'text has', 'texts have')} no room beside the answer: what was "
            "said first is not read there."
        )
    if found.get("windowed"):
        return "Texts beyond the limit are read in overlapping windows; nothing is cut off."
    return "Every text fits into the model."
