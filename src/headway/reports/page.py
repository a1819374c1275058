"""report.html: one offline file with everything in it, for a phone, a desk or a dark room."""

from __future__ import annotations

from typing import Any

from headway.reports.facts import facts
from headway.reports.pictures import Picture, pictures
from headway.reports.sheets import SHEETS, Sheet
from headway.reports.templating import templates
from headway.reports.words import decimals, percent, plural

__all__ = ["page"]

PARTED = " ⏐ "
"""Between the texts of a row, as tasks show it."""

SHORT = 60  # characters of an answer that stands in a line with others
MISTAKES_FIRST = "The surest mistakes first, then answers that are right."
WORST_FIRST = "Those furthest off first."

MOST_ANSWERS = 12  # of one row, such as its entities


def page(report: dict[str, Any]) -> str:
    """The page, from a plain and printable report; it holds no script and asks for no file."""
    environment = templates(escape=True)
    drawn, sheet = pictures(report), SHEETS[report["kind"]]
    found = facts(report)
    found["training_title"] = "Confidence and training" if "reliability" in drawn else "Training"

    def picked(*names: str) -> list[Picture]:
        return [drawn[name] for name in names if name in drawn]

    optional = {key: report.get(key) for key in ("created", "command", "baseline")}
    text = environment.get_template("page.html").render(
        report=report | optional,
        style=environment.get_template("page.css").render(),
        pictures=drawn,
        picked=picked,
        examples=[_example(one, sheet) for one in report.get("examples") or []],
        said_word=sheet.said,
        true_word=sheet.true,
        examples_order=MISTAKES_FIRST if sheet.judged else WORST_FIRST,
        sections=_sections(report, found, drawn),
        **found,
    )
    return text.lstrip()


def _sections(
    report: dict[str, Any], found: dict[str, Any], drawn: dict[str, Picture]
) -> list[tuple[str, str]]:
    """The links at the top: only to what is there."""
    details = found["per_label"] or drawn.keys() & {"confusion", "label-bars", "scatter", "cosines"}
    there = [
        ("result", "Result", True),
        ("limits", "Limits", True),
        ("details", found["details_title"], details),
        ("examples", "Examples", report.get("examples")),
        ("training", found["training_title"], drawn.keys() & {"reliability", "curve", "rates"}),
        ("data", "Data", found["data"] or found["lengths"]),
        ("repeat", "Repeat the run", True),
    ]
    return [(id_, name) for id_, name, present in there if present]


def _example(example: dict[str, Any], sheet: Sheet) -> dict[str, Any]:
    """What is shown of one row: its texts, both answers, and what is to be said of them."""
    said, true = _answers(example.get("prediction")), _answers(example.get("label"))
    score, state = example.get("score"), _state(example, sheet)
    return {
        "texts": str(example.get("text", "")).split(PARTED),
        "said": said,
        "true": true if state != "right" and any(true) else [],
        "in_lines": max(map(len, (*said, *true))) > SHORT or len(said) > 1 or len(true) > 1,
        "score": "" if score is None or not sheet.said else percent(score),
        "state": state,
        "tokens": _tokens(example.get("tokens") or {}),
    }


def _answers(value: Any) -> list[str]:
    """An answer, or several; of very many the first ones."""
    if not isinstance(value, list):
        return [decimals(value) if isinstance(value, float) else str(value)]
    shown = list(map(str, value[:MOST_ANSWERS]))
    more = [f"and {len(value) - MOST_ANSWERS} more"] if len(value) > MOST_ANSWERS else []
    return [*shown, *more] or ["none"]


def _state(example: dict[str, Any], sheet: Sheet) -> str:
    """right, wrong, or value where there is more than these two."""
    if isinstance(example.get("label"), float):
        return "value"
    if example.get("right"):
        return "right"
    return "wrong" if sheet.judged else "value"


def _tokens(tokens: dict[str, Any]) -> str:
    if not tokens:
        return ""
    used, total = tokens.get("used") or 0, tokens.get("total") or 0
    said = f"{used:,} of {plural(total, 'token')} read"
    windows = tokens.get("windows") or 1
    return f"{said} in {windows:,} windows" if windows > 1 else said
