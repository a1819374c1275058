"""report.html of a data set: one offline file whose only script filters the rows it holds."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from headway.reports.data_facts import data_facts
from headway.reports.pictures.canvas import Picture
from headway.reports.pictures.row_lengths import row_lengths
from headway.reports.templating import templates
from headway.reports.words import plural

__all__ = ["MOST_LABELS", "MOST_WORDS", "data_page"]

MOST_LABELS = 40  # of a split that are shown
MOST_WORDS = 60  # of all labels together
_MOST_CHOICES = 300  # of a filter

Card = dict[str, Any]
Row = dict[str, Any]


def data_page(card: Card, rows: Sequence[Row], name: str) -> str:
    """The page, from a plain and printable card and rows of it.

    Its Content-Security-Policy allows one script by its SHA-256, so that a text of the data set
    could not run even if it were not escaped.

    Args:
        card: from `headway.data.inspect`.
        rows: from `headway.data.inspection.row_sample`.
        name: of the data set.
    """
    environment = templates(escape=True)
    script = files("headway.reports").joinpath("templates", "data.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found = data_facts(card)
    labelled = [(split, _bars(table)) for split, table in found["labels"].items() if table]
    styles = [environment.get_template(file).render() for file in ("page.css", "data.css")]
    text = environment.get_template("data.html").render(
        title=name,
        near=card["near"],
        several=len(card["splits"]) > 1,
        labelled=labelled,
        most_labels=MOST_LABELS,
        most_words=MOST_WORDS,
        pictures=_pictures(card),
        rows=rows,
        sampled=_sampled(card, rows),
        filters=_filters(rows),
        sections=_sections(found, labelled),
        style="\n".join(styles),
        script=script,
        script_hash=digest,
        **found,
    )
    return text.lstrip()


def _bars(table: list[tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Labels with the length of their bars in percent of the longest; none for decimals."""
    most = max((float(n.replace(",", "")) for _, n, share in table if share != "–"), default=0)
    return [
        (label, n, share, f"{100 * float(n.replace(',', '')) / most:.1f}" if most else "")
        for label, n, share in table
    ]


def _pictures(card: Card) -> list[Picture]:
    drawn = []
    for place, (split, part) in enumerate(card["splits"].items()):
        for unit in ("characters", "tokens"):
            limit = (part.get("over_max_length") or {}).get("max_length")
            picture = row_lengths(
                f"{unit}-{place}",
                unit,
                part.get(unit) or {},
                limit if unit == "tokens" else None,
                of=split if len(card["splits"]) > 1 else "",
            )
            drawn += [picture] if picture else []
    return drawn


def _sampled(card: Card, rows: Sequence[Row]) -> str:
    if len(rows) == card["rows"]:
        return f"All {plural(len(rows), 'row')} of the data set, counted from 0."
    return (
        f"A sample of {plural(len(rows), 'row')} out of {card['rows']:,}, counted from 0: the "
        "first with a remark of each kind, and others by chance. Long texts show their beginning."
    )


def _filters(rows: Sequence[Row]) -> list[tuple[str, str, list[str]]]:
    """(key, name, values) of what rows can be chosen by: only where there is a choice."""
    found = []
    for key, name in (("split", "Split"), ("label", "Label"), ("language", "Language")):
        values = list(dict.fromkeys(row[key] for row in rows if row[key] is not None))
        if 1 < len(values) <= _MOST_CHOICES:
            found.append((key, name, values if key == "split" else sorted(values)))
    return found


def _sections(found: dict[str, Any], labelled: list[Any]) -> list[tuple[str, str]]:
    there = [
        ("look", "To look at", True),
        ("columns", "Columns", True),
        ("labels", "Labels", labelled),
        ("lengths", "Lengths", found["lengths"]),
        ("repeats", "Doubles and leaks", True),
        ("language", "Language", True),
        ("odd", "Odd rows", found["odd"]),
        ("words", "Words", found["artefacts"]),
        ("rows-section", "Rows", True),
    ]
    return [(id_, name) for id_, name, present in there if present]
