"""Where pictures are drawn: a matplotlib Figure turned into SVG that lives inside a page.

Colours leave as CSS variables, so that one picture serves light and dark pages; letters leave as
text in the page's own font, so that they can be read aloud, searched and shown in any script.
The palette (Okabe and Ito, 2008) keeps its contrasts for colour-blind readers.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "INK",
    "LINE",
    "ORANGE",
    "PAPER",
    "SOFT",
    "WIDTH",
    "Picture",
    "draw",
    "quiet",
    "say_percent",
]

INK, SOFT, LINE, PAPER = "#0a0b0c", "#6a6b6c", "#dadbdc", "#fafbfc"
BLUE, ORANGE = "#0072b2", "#d55e00"
WIDTH = 380  # of a picture in pixels, so that its letters stay readable on a phone
VARIABLES = {
    INK: "ink",
    SOFT: "soft",
    LINE: "line",
    PAPER: "paper",
    BLUE: "blue",
    ORANGE: "orange",
}

SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a label may hold dollar signs
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # measures only: the page puts its own font in
    "font.size": 12,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "text.color": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
}


@dataclass(frozen=True)
class Picture:
    """A picture of a page, with the same content in words and, where short, as a table.

    `svg` is empty where the table says it better. `width` is in pixels at normal size.
    The first `text_columns` columns of the table hold texts, the others numbers.
    """

    name: str
    title: str
    caption: str
    svg: str
    width: int
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    text_columns: int = 1


def draw(name: str, title: str, size: tuple[int, int], paint: Callable[[Figure], None]) -> str:
    """The SVG that `paint` draws on a figure of width x height pixels; the same every time.

    Args:
        name: prefix of every id, so that several pictures share a page.
        title: what a screen reader says.
        size: width and height.
        paint: draws on the figure it is given.
    """
    import matplotlib
    from matplotlib.figure import Figure

    file = io.StringIO()
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": name}), warnings.catch_warnings():
        # The reader's browser has the letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        paint(figure)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _inline(file.getvalue(), name, title)


def quiet(
    axes: Axes, *, grid: Literal["x", "y", "both"] | None = None, keep: Sequence[str] = ("bottom",)
) -> None:
    """Leaves of the frame only the sides in `keep`, without tick marks; `grid` is x, y or both."""
    axes.tick_params(length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in keep)
    if grid:
        axes.grid(True, axis=grid)


def say_percent(value: float, _position: Any = None) -> str:
    """A tick label: 0.5 -> 50%."""
    return f"{100 * value:.4g}%"


def _inline(svg: str, name: str, title: str) -> str:
    """The drawing without what only a file of its own needs; ids and colours become the page's."""
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', svg)
    assert box, "matplotlib writes a viewBox"
    body = svg[svg.index(">", box.end()) + 1 :]
    # Inside a text < and > are escaped, so that only tags match.
    body = re.sub(r"<[^>]+>", lambda tag: _own(tag[0], name), body)
    body = re.sub(r"\n\s*", "\n", re.sub(r"<defs>\s*</defs>", "", body))
    label = html.escape(title)
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{label}">{body.strip()}'


def _own(tag: str, name: str) -> str:
    if tag.startswith("<g "):
        tag = re.sub(r' id="[^"]*"', "", tag)
    tag = tag.replace("xlink:href=", "href=").replace(' id="', f' id="{name}-')
    tag = tag.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    for colour, variable in VARIABLES.items():
        tag = tag.replace(colour, f"var(--{variable})")
    return tag
