"""learning-curve.json and learning-curve.html: scores over labels, and labels that are saved."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from headway.reports.pictures.label_curve import label_curve
from headway.reports.plain import plain, printable, to_json
from headway.reports.templating import templates
from headway.reports.words import percent
from headway.reports.write import write_files

__all__ = ["curve_rows", "saved_lines", "write_curve"]

Found = dict[str, Any]


def write_curve(found: Found, folder: Path) -> None:
    """Writes both files; the folder is made if it is not there.

    Args:
        found: as `headway.learning_curve` gives it.
        folder: where to.

    Raises:
        OutputError: the folder cannot be written.
    """
    shown = printable(plain(found))
    environment = templates(escape=True)
    text = environment.get_template("learning_curve.html").render(
        found=shown,
        title=f"{shown['data']}: learning curve",
        headline=headline(shown),
        style=environment.get_template("page.css").render(),
        picture=label_curve(shown),
        sections=[("curve", "Curve"), ("saved", "Labels saved"), ("runs", "Runs")],
        columns=["way", *(f"{n} labels a class" for n in counts(shown))],
        rows=curve_rows(shown),
        lines=saved_lines(shown),
        points=[_run(point) for point in shown["points"]],
        versions=[(name, str(value)) for name, value in shown["versions"].items()],
    )
    files = {"learning-curve.json": to_json(found), "learning-curve.html": text.lstrip()}
    write_files(files, folder)


def _run(point: Found) -> tuple[str, ...]:
    """A run as cells of a table."""
    seconds = f"{point['seconds']:.0f} s" if point["seconds"] else "–"
    said = (point["way"], str(point["labels"]), str(point["seed"]))
    return (*said, percent(point["score"]), seconds)


def counts(found: Found) -> list[int]:
    """Labels a class, in their order."""
    return sorted({int(point["labels"]) for point in found["points"]})


def headline(found: Found) -> str:
    """What this model reaches with the fewest labels, and what it saves."""
    (few, *_), ours = counts(found), found["ours"]
    score = found["mean"][ours][str(few)]
    said = f"{percent(score)} with {few} labels a class"
    factors = [line for line in saved_lines(found) if line.startswith(f"With {few} ")]
    return f"{said}. {factors[0]}" if factors else said


def curve_rows(found: Found) -> list[tuple[str, ...]]:
    """(way, mean and deviation at each number of labels)."""
    rows = []
    for way in found["mean"]:
        cells = []
        for number in counts(found):
            scores = [p["score"] for p in found["points"]
                      if (p["way"], p["labels"]) == (way, number)]  # fmt: skip
            spread = f" ± {100 * statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
            cells.append(percent(statistics.mean(scores)) + spread)
        rows.append((way, *cells))
    return rows


def saved_lines(found: Found) -> list[str]:
    """A sentence for each number of labels and each other way."""
    lines = []
    for number in counts(found):
        for way, saved in found["saved"].items():
            said = saved[str(number)]
            if said is None:
                lines.append(f"With {number} labels a class it does no better than {way}.")
                continue
            with_more = f"{said['factor']:.1f} times as many" if said["factor"] > 1 else "as many"
            if said["or_more"]:
                lines.append(
                    f"With {number} labels a class it is above what {way} reaches with {with_more}."
                )
            else:
                lines.append(
                    f"With {number} labels a class it reaches what {way} needs {with_more} for."
                )
    return lines
