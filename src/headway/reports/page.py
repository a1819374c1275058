"""report.html: one offline file with everything in it, for a phone, a desk or a dark room."""

from __future__ import annotations

from typing import Any

from headway.reports.facts import facts
from headway.reports.pictures import Picture, pictures
from headway.reports.templating import templates
from headway.reports.words import decimals, percent, plural

__all__ = ["page"]


def page(report: dict[str, Any]) -> str:
    """The page, from a plain and printable report; it holds no script and asks for no file."""
    environment = templates(escape=True)
    drawn = pictures(report)
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
        examples=[_example(example) for example in report.get("examples") or []],
        sections=_sections(report, found, drawn),
        **found,
    )
    return text.lstrip()


def _sections(
    report: dict[str, Any], found: dict[str, Any], drawn: dict[str, Picture]
) -> list[tuple[str, str]]:
    """The links at the top: only to what is there."""
    details = found["per_label"] or drawn.keys() & {"confusion", "label-bars", "scatter"}
    there = [
        ("result", "Result", True),
        ("limits", "Limits", True),
        ("details", found["details_title"], details),
        ("examples", "Examples", report.get("examples")),
        ("training", found["training_title"], drawn.keys() & {"reliability", "curve"}),
        ("data", "Data", found["data"] or found["lengths"]),
        ("repeat", "Repeat the run", True),
    ]
    return [(id_, name) for id_, name, present in there if present]


def _example(example: dict[str, Any]) -> dict[str, str]:
    label, prediction = example.get("label"), example.get("prediction")
    score = example.get("score")
    return {
        "text": str(example.get("text", "")),
        "label": _answer(label),
        "prediction": _answer(prediction),
        "score": "" if score is None else percent(score),
        "state": _state(example),
        "tokens": _tokens(example.get("tokens") or {}),
    }


def _answer(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "no label"
    return decimals(value) if isinstance(value, float) else str(value)


def _state(example: dict[str, Any]) -> str:
    """right, wrong, or value where there is no such thing."""
    if isinstance(example.get("label"), float):
        return "value"
    return "right" if example.get("right") else "wrong"


def _tokens(tokens: dict[str, Any]) -> str:
    if not tokens:
        return ""
    used, total = tokens.get("used") or 0, tokens.get("total") or 0
    said = f"{used:,} of {plural(total, 'token')} read"
    windows = tokens.get("windows") or 1
    return f"{said} in {windows:,} windows" if windows > 1 else said
