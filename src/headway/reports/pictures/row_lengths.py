"""How long the rows of a data set are, in characters or tokens, and where a model's limit lies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, ORANGE, WIDTH, Picture, draw, quiet
from headway.reports.words import count, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["row_lengths"]


def row_lengths(
    name: str, unit: str, lengths: dict[str, Any], limit: int | None = None, *, of: str = ""
) -> Picture | None:
    """A bar for each range of lengths; those beyond the limit in the second colour.

    Args:
        name: of the picture, on its page once.
        unit: characters or tokens.
        lengths: as `headway.data.inspect` counts them; without rows there is no picture.
        limit: the model's, in the same unit.
        of: the split, where there are several.
    """
    if not lengths:
        return None
    edges, counts = lengths["histogram"]["edges"], lengths["histogram"]["counts"]
    # The last range reaches up to the longest row, and is drawn as wide as the others.
    step = edges[1] - edges[0]
    drawn = [*edges[:-1], edges[-2] + step]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        colours = [ORANGE if limit is not None and edge > limit else BLUE for edge in edges[:-1]]
        axes.bar(drawn[:-1], counts, width=0.92 * step, align="edge", color=colours)
        ticks = drawn[:-1:5]
        axes.set_xticks(ticks, [count(tick) for tick in ticks])
        axes.set_xlabel(f"{unit} in a row")
        axes.set_ylabel("rows")
        if limit is not None and limit < drawn[-1]:
            axes.axvline(limit, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
            right = limit < 0.6 * drawn[-1]
            axes.annotate(
                f"model's limit {count(limit)}",
                (limit, 1),
                xycoords=("data", "axes fraction"),
                xytext=(5 if right else -5, -10),
                textcoords="offset points",
                ha="left" if right else "right",
            )
        quiet(axes, grid="y")

    title = f"{unit.capitalize()} in a row" + (f" of {of}" if of else "")
    median, longest = count(lengths["p50"]), count(lengths["p100"])
    ends = [(a, b - 1) for a, b in pairwise(edges)]
    return Picture(
        name,
        title,
        f"Half of the rows have at most {median}, the longest has {longest}; the last bar holds "
        f"all rows from {plural(edges[-2], unit.removesuffix('s'))} on.",
        draw(
            name,
            f"{title}, a histogram: median {median}, longest {longest}.",
            (WIDTH, 230),
            paint,
        ),
        WIDTH,
        (unit, "rows"),
        [
            (count(a) if a == b else f"{count(a)} to {count(b)}", count(n))
            for (a, b), n in zip(ends, counts, strict=True)
        ],
    )
