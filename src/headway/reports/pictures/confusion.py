"""Which label was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headway.reports.pictures.canvas import BLUE, INK, PAPER, Picture, draw, quiet
from headway.reports.words import count, percent, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["confusion"]

MOST_CELLS_A_SIDE = 30
MOST_PAIRS = 20
STRONG = 0.7  # share of a row from which its cell is dark enough for light digits


def confusion(report: dict[str, Any]) -> Picture | None:
    """A matrix up to 30 labels; above, and beside it, the pairs most often confused."""
    matrix = report["test"].get("confusion")
    if not matrix:
        return None
    labels = [str(label) for label in report["label_names"]]
    rows = _worst_pairs(matrix, labels)
    columns = ("true label", "predicted as", "rows", "share of the true label")
    if len(labels) > MOST_CELLS_A_SIDE:
        caption = (
            f"A matrix of {len(labels)} labels has cells too small to read; the pairs most often "
            "confused are below."
        )
        return Picture("confusion", "Labels most often confused", caption, "", 0, columns, rows, 2)
    side = max(300, 130 + len(labels) * (48 if len(labels) <= 12 else 28))
    worst = (
        f" Most often confused: {rows[0][0]} taken for {rows[0][1]}, {rows[0][2]}." if rows else ""
    )
    title = f"Confusion matrix of {len(labels)} labels.{worst}"
    return Picture(
        "confusion",
        "Which label was taken for which",
        "A row is a true label, a column what the model said; stronger: a larger share of the row.",
        draw("confusion", title, (side, side), lambda figure: _paint(figure, matrix, labels)),
        side,
        columns,
        rows,
        2,
    )


def _worst_pairs(matrix: list[list[int]], labels: list[str]) -> list[tuple[str, ...]]:
    pairs = [
        (n, sum(row), i, j)
        for i, row in enumerate(matrix)
        for j, n in enumerate(row)
        if i != j and n
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2], pair[3]))
    return [
        (labels[i], labels[j], count(n), percent(n / total))
        for n, total, i, j in pairs[:MOST_PAIRS]
    ]


def _paint(figure: Figure, matrix: list[list[int]], labels: list[str]) -> None:
    axes = figure.add_subplot()
    k = len(labels)
    size = 12 if k <= 12 else 9
    for i, row in enumerate(matrix):
        total = sum(row)
        for j, n in enumerate(row):
            _paint_cell(axes, i, j, n, n / total if n else 0.0, size)
    short = [shorten(label, 18) for label in labels]
    ticks = [i + 0.5 for i in range(k)]
    slanted = k > 4 or max(map(len, short)) > 8
    rotation, side = (45, "left") if slanted else (0, "center")
    axes.set_xticks(ticks, short, rotation=rotation, ha=side, size=size)
    axes.set_yticks(ticks, short, size=size)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("said by the model")
    axes.set_ylabel("true")
    axes.set_xlim(0, k)
    axes.set_ylim(k, 0)
    axes.set_aspect("equal")
    quiet(axes, keep=())


def _paint_cell(axes: Axes, i: int, j: int, n: int, share: float, size: int) -> None:
    from matplotlib.patches import Rectangle

    alpha = 0.04 + 0.96 * share
    cell = Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, facecolor=BLUE, alpha=alpha)
    # Cells lie inside the axes: measuring each of them for the layout only takes time.
    axes.add_patch(cell).set_in_layout(False)
    if n:
        colour = PAPER if share > STRONG else INK
        digits = axes.text(j + 0.5, i + 0.52, str(n), ha="center", va="center", color=colour)
        digits.set_fontsize(size)
        digits.set_in_layout(False)
