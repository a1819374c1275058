"""The report as the sections that page and card share, in words; absent parts are empty."""

from __future__ import annotations

from typing import Any

from headway.reports.limits import limits
from headway.reports.results import headline, result_rows, seed_rows
from headway.reports.sheets import SHEETS
from headway.reports.words import count, decimals, megabytes, percent, plural, seconds

__all__ = ["facts"]

Report = dict[str, Any]
WEAKEST = 10  # labels shown by name where there are too many for one table

Pairs = list[tuple[str, str]]


def facts(report: Report) -> dict[str, Any]:
    """What the templates print, from a plain and printable report.

    A list of pairs is a two-column table; an empty one is a section that is left out.
    """
    data = report.get("data") or {}
    return {
        "title": f"{data.get('name') or 'Model'}: {report['task'].replace('-', ' ')}",
        "headline": headline(report),
        "measured": _measured_by(report),
        "baseline_name": (report.get("baseline") or {}).get("name", "Baseline"),
        "results": [row.text for row in result_rows(report)],
        "seeds": _seeds(report),
        "per_label": _per_label(report["test"].get("per_label") or {}),
        "weakest": _per_label(dict(_by_f1(report)[:WEAKEST])),
        "data": _data(data),
        "label_counts": [(k, count(v)) for k, v in (data.get("labels") or {}).items()],
        "lengths": _lengths(report),
        "calibration": _calibration(report),
        "cost": _cost(report),
        "settings": _settings(report),
        "versions": [(k, str(v)) for k, v in (report.get("versions") or {}).items()],
        "notes": list(report.get("notes") or []),
        "limits": limits(report),
        "details_title": SHEETS[report["kind"]].details,
        "answer": SHEETS[report["kind"]].answer.format(labels=len(report["label_names"])),
        "call": SHEETS[report["kind"]].call,
        "shell": SHEETS[report["kind"]].shell,
    }


def _measured_by(report: Report) -> str:
    sheet = SHEETS[report["kind"]]
    return f"{sheet.about} The 95% interval ({sheet.interval}) covers the choice of test texts."


def _seeds(report: Report) -> list[tuple[str, str, str]]:
    share = all(measure.share for measure in SHEETS[report["kind"]].measures)
    say = percent if share else decimals
    return [
        (row.name, f"{say(row.mean)} ± {say(row.half_width)}", ", ".join(map(say, row.values)))
        for row in seed_rows(report.get("seeds") or [])
    ]


def _by_f1(report: Report) -> list[tuple[str, dict[str, Any]]]:
    per_label = report["test"].get("per_label") or {}
    return sorted(per_label.items(), key=lambda item: item[1].get("f1") or 0.0)


def _per_label(per_label: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            label,
            percent(scores.get("precision")),
            percent(scores.get("recall")),
            percent(scores.get("f1")),
            count(scores.get("support")),
        )
        for label, scores in per_label.items()
    ]


def _data(data: dict[str, Any]) -> Pairs:
    rows, columns = data.get("rows") or {}, data.get("columns") or {}
    found = [
        ("Name", data.get("name")),
        ("Rows", ", ".join(f"{count(n)} {split}" for split, n in rows.items())),
        ("Columns", ", ".join(f"{role}: {column}" for role, column in columns.items() if column)),
        ("Hash", data.get("hash")),
        ("Duplicates dropped", count(data.get("duplicates_dropped"))),
        (
            "Training and validation rows that are also test rows, dropped",
            count(data.get("leaked_dropped")),
        ),
        (
            "Test rows that are nearly training or validation rows, kept",
            count(data.get("near_leaks")),
        ),
    ]
    return [(name, value) for name, value in found if value and value != "–"]


def _lengths(report: Report) -> Pairs:
    lengths = report.get("lengths") or {}
    percentiles = lengths.get("percentiles") or {}
    middle = [f"{p}% up to {count(n)}" for p, n in percentiles.items() if p != "100"]
    found = [
        ("Model's limit", _tokens(lengths.get("max_model"))),
        ("Longest text seen", _tokens(lengths.get("max_seen"))),
        ("Texts by length", ", ".join(middle)),
        ("Texts longer than the model", count(lengths.get("windowed"))),
        ("Windows read for them", count(lengths.get("windows"))),
    ]
    return [(name, value) for name, value in found if value and value != "–"]


def _tokens(n: int | None) -> str:
    return "" if n is None else plural(n, "token")


def _calibration(report: Report) -> str:
    found = report["test"].get("calibration") or {}
    error = found.get("expected_calibration_error")
    if error is None:
        return ""
    return (
        f"Expected calibration error {percent(error)}: on average the model's confidence is that "
        "far from the share of texts it gets right."
    )


def _cost(report: Report) -> Pairs:
    found = [(k.capitalize(), seconds(v)) for k, v in (report.get("seconds") or {}).items()]
    for step, speed in (report.get("tokens_per_second") or {}).items():
        found.append((f"Tokens per second, {step}", count(speed)))
    found.append(("Peak memory", megabytes(report.get("peak_memory_mb"))))
    for part, n in (report.get("parameters") or {}).items():
        found.append((f"Parameters, {part}", count(n)))
    return [(name, value) for name, value in found if value != "–"]


def _settings(report: Report) -> Pairs:
    settings = dict(report.get("settings") or {})
    settings.setdefault("seed", report.get("seed"))
    return [
        (name.replace("_", " "), str(value))
        for name, value in settings.items()
        if value is not None
    ]
