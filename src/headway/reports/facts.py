"""The report as the sections that page and card share, in words; absent parts are empty."""

from __future__ import annotations

from typing import Any

from headway.reports.limits import limits
from headway.reports.results import ResultRow, headline, result_columns, result_rows, seed_rows
from headway.reports.sheets import SHEETS, Sheet
from headway.reports.usage import usage
from headway.reports.words import count, megabytes, percent, plural, seconds

__all__ = ["facts"]

Report = dict[str, Any]
WEAKEST = 10  # labels shown by name where there are too many for one table
DIGITS = 12  # of a hash

Pairs = list[tuple[str, str]]


def facts(report: Report) -> dict[str, Any]:
    """What the templates print, from a plain and printable report.

    A list of pairs is a two-column table; an empty one is a section that is left out.
    """
    data, sheet, rows = report.get("data") or {}, SHEETS[report["kind"]], result_rows(report)
    columns, (call, shell) = result_columns(report), usage(report)
    return {
        "title": f"{data.get('name') or 'Model'}: {report['task'].replace('-', ' ')}",
        "headline": headline(report),
        "measured": _measured_by(report, rows),
        "baseline_name": (report.get("baseline") or {}).get("name", "Baseline"),
        "result_columns": columns,
        "results": [row.text[: len(columns)] for row in rows],
        "seeds": [row.text(report["kind"]) for row in seed_rows(report.get("seeds") or [])],
        "per_label": _per_label(report["test"].get("per_label") or {}),
        "weakest": _per_label(dict(_by_f1(report)[:WEAKEST])),
        "data": _data(data, sheet),
        "label_counts": [(k, count(v)) for k, v in (data.get("labels") or {}).items()],
        "lengths": _lengths(report),
        "calibration": _calibration(report),
        "cost": _cost(report),
        "settings": _settings(report),
        "versions": [(k, str(v)) for k, v in (report.get("versions") or {}).items()],
        "notes": list(report.get("notes") or []),
        "limits": limits(report),
        "details_title": sheet.details,
        "support": sheet.support,
        "answer": sheet.answer.format(labels=len(report["label_names"])),
        "call": call,
        "shell": shell,
    }


def _measured_by(report: Report, rows: list[ResultRow]) -> str:
    """What the measures are, which way they count, and what the interval says."""
    sheet = SHEETS[report["kind"]]
    said = [sheet.about]
    lower = [row.measure.name for row in rows if not row.measure.larger_is_better]
    if lower:
        said.append(f"For {' and '.join(lower)} less is better.")
    said.append(f"The 95% interval ({sheet.interval}) covers the choice of test {sheet.rows}.")
    if report.get("baseline") and any(row.measure.percent and row.measure.share for row in rows):
        said.append("Differences of percentages are in points.")
    return " ".join(said)


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


def _data(data: dict[str, Any], sheet: Sheet) -> Pairs:
    rows, columns = data.get("rows") or {}, data.get("columns") or {}
    roles = {"label": sheet.truth}
    tested = data.get("test_name")
    found = [
        ("Name", data.get("name")),
        ("Test rows from", tested if tested != data.get("name") else ""),
        ("Rows", ", ".join(f"{count(n)} {split}" for split, n in rows.items())),
        (
            "Columns",
            ", ".join(f"{roles.get(role, role)}: {name}" for role, name in columns.items() if name),
        ),
        ("Hash", "+".join(map(_short_hash, (data.get("hash") or "").split("+")))),
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


def _short_hash(digest: str) -> str:
    """Enough of it to be told from others; report.json has all.

    >>> _short_hash("sha256:" + "0123456789abcdef" * 4)
    'sha256:0123456789ab…'
    """
    kind, colon, digits = digest.rpartition(":")
    return kind + colon + (digits if len(digits) <= DIGITS else digits[:DIGITS] + "…")


def _lengths(report: Report) -> Pairs:
    lengths = report.get("lengths") or {}
    limit, window = lengths.get("max_model"), lengths.get("window")
    percentiles = lengths.get("percentiles") or {}
    middle = [f"{p}% up to {count(n)}" for p, n in percentiles.items() if p != "100"]
    found = [
        ("Model's limit", _tokens(lengths.get("max_model"))),
        ("Read at once", _tokens(window) if window != limit else ""),
        ("Longest text seen", _tokens(lengths.get("max_seen"))),
        ("Texts by length", ", ".join(middle)),
        ("Texts longer than that", count(lengths.get("windowed"))),
        ("Windows of all texts", count(lengths.get("windows"))),
        ("Texts whose beginning is not read", count(lengths.get("left_out") or None)),
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
    used = report.get("utilisation") or {}
    if used.get("share") is not None:
        told = f"{percent(used['share'])} of {used['peak_gflops']:,.0f} GFLOP/s"
        found.append(("Of what the machine can multiply, train", told))
    energy = report.get("energy") or {}
    if energy.get("watt_hours"):
        how = "measured" if energy["measured"] else "estimated"
        found.append((f"Energy, train ({how})", f"{energy['watt_hours']:.2g} Wh"))
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
