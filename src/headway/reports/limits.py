"""What the run cannot promise, read off its own numbers."""

from __future__ import annotations

from typing import Any

from headway.reports.results import clearly_different, result_rows
from headway.reports.words import count, percent, plural, shorten

__all__ = ["limits"]

FEW_TRAINING_ROWS = 8
FEW_TEST_ROWS = 10
BAD_CALIBRATION = 0.05

Report = dict[str, Any]


def limits(report: Report) -> list[str]:
    """Sentences that a user of the model should read first; each follows from the report."""
    found = [
        *_scope(report),
        *_beside_baseline(report),
        *_thin_labels(report),
        *_lengths(report),
        *_calibration(report),
    ]
    if not report.get("bias"):
        found.append(
            "Whether it treats groups of people alike, and whether it holds on texts with typing "
            "errors or from another source, was not measured in this run."
        )
    return found


def _scope(report: Report) -> list[str]:
    data, seeds = report.get("data") or {}, report.get("seeds") or []
    name = data.get("name") or "one data set"
    found = [
        f"Measured on {plural(report['test'].get('n') or 0, 'test text')} of {name}. The interval "
        "says how much another choice of test texts would move the result, not what texts from "
        "another source, time or language would do."
    ]
    if len(seeds) < 2:
        found.append(
            "One run with one seed: another seed or other training rows would give another result."
        )
    if near := data.get("near_leaks"):
        found.append(
            f"{plural(near, 'test text is', 'test texts are')} nearly as in training: the result "
            "may be better than on texts that are all new."
        )
    if data.get("rows", {}).get("validation") == 0:
        found.append("No validation rows: the settings were not chosen on held-out data.")
    return found


def _beside_baseline(report: Report) -> list[str]:
    rows = result_rows(report)
    if not rows or rows[0].baseline is None or not report.get("baseline"):
        return []
    row, name = rows[0], report["baseline"].get("name", "the baseline")
    if clearly_different(row) and (row.difference or 0) > 0:
        return []
    if clearly_different(row):
        return [f"It is worse than {name}, which is smaller and faster: use that instead."]
    return [
        f"{row.measure.name} is not clearly different from that of {name}, which is smaller and "
        "faster. More test texts, or more training rows, would tell."
    ]


def _thin_labels(report: Report) -> list[str]:
    training = (report.get("data") or {}).get("labels") or {}
    per_label = report["test"].get("per_label") or {}
    few = [k for k, n in training.items() if n < FEW_TRAINING_ROWS]
    thin = [k for k, s in per_label.items() if (s.get("support") or 0) < FEW_TEST_ROWS]
    lost = [k for k, s in per_label.items() if s.get("support") and s.get("recall") == 0]
    found = []
    if few:
        found.append(f"Fewer than {FEW_TRAINING_ROWS} training rows: {_named(few)}.")
    if thin:
        found.append(
            f"Fewer than {FEW_TEST_ROWS} test rows, so that precision, recall and F1 are hardly "
            f"measured: {_named(thin)}."
        )
    if lost:
        found.append(f"Never found in the test set, though it is there: {_named(lost)}.")
    return found


def _lengths(report: Report) -> list[str]:
    lengths = report.get("lengths") or {}
    if not lengths.get("windowed"):
        return []
    return [
        f"{plural(lengths['windowed'], 'text is', 'texts are')} longer than the model's "
        f"{count(lengths.get('max_model'))} tokens. Nothing is cut off: such a text is read in "
        f"overlapping windows ({count(lengths.get('windows'))} in all) whose results are joined, "
        "so that what only shows across two windows is not seen."
    ]


def _calibration(report: Report) -> list[str]:
    error = (report["test"].get("calibration") or {}).get("expected_calibration_error")
    if error is None or error <= BAD_CALIBRATION:
        return []
    return [
        f"Its scores are off by {percent(error)} on average (expected calibration error): do not "
        "read a score of 0.9 as nine right out of ten."
    ]


def _named(labels: list[str]) -> str:
    shown = ", ".join(shorten(str(label), 40) for label in labels[:12])
    return shown + (f" and {len(labels) - 12} more" if len(labels) > 12 else "")
