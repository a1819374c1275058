"""What the run cannot promise, read off its own numbers."""

from __future__ import annotations

from typing import Any

from headway.reports.results import clearly_different, result_rows
from headway.reports.sheets import SHEETS
from headway.reports.words import count, percent, plural, shorten

__all__ = ["limits"]

FEW_TRAINING_ROWS = 8
FEW_TEST_ROWS = 10
BAD_CALIBRATION = 0.05
LEARNED_FROM_TEXT = ("language", "masked-words")  # whose baselines answer nobody

Report = dict[str, Any]


def limits(report: Report) -> list[str]:
    """Sentences that a user of the model should read first; each follows from the report."""
    found = [
        *_scope(report),
        *_beside_baseline(report),
        *_thin_labels(report),
        *_lengths(report),
        *_calibration(report),
        *_adapters(report),
    ]
    if not report.get("bias"):
        found.append(
            "Whether it treats groups of people alike, and whether it holds on texts with typing "
            "errors or from another source, was not measured in this run."
        )
    return found


def _scope(report: Report) -> list[str]:
    data, seeds = report.get("data") or {}, report.get("seeds") or []
    name = data.get("test_name") or data.get("name") or "one data set"
    one, many = _test_rows(report)
    found = [
        f"Measured on {plural(report['test'].get('n') or 0, one, many)} of {name}. The interval "
        f"says how much another choice of {many} would move the result, not what texts from "
        "another source, time or language would do."
    ]
    if len(seeds) < 2:
        found.append(
            "One run with one seed: another seed or other training rows would give another result."
        )
    if near := data.get("near_leaks"):
        found.append(
            f"{plural(near, f'{one} is', f'{many} are')} nearly as in training: the result "
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
    if clearly_different(row) and row.better:
        return []
    if clearly_different(row):
        if report["kind"] in LEARNED_FROM_TEXT:
            return [f"It is worse than {name}, which no model needs: it is not of use yet."]
        return [f"It is worse than {name}, which is smaller and faster: use that instead."]
    return [
        f"{row.measure.name} is not clearly different from that of {name}, which is smaller and "
        f"faster. More {_test_rows(report)[1]}, or more training rows, would tell."
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
            f"Fewer than {FEW_TEST_ROWS} {_counted(report)}, so that precision, recall and F1 are "
            f"hardly measured: {_named(thin)}."
        )
    if lost:
        found.append(f"Never found in the test set, though it is there: {_named(lost)}.")
    return found


def _lengths(report: Report) -> list[str]:
    lengths, found = report.get("lengths") or {}, []
    if lengths.get("windowed"):
        found.append(
            f"{plural(lengths['windowed'], 'text is', 'texts are')} longer than "
            f"{_at_once(lengths)}. Nothing is cut off: such a text is read in overlapping windows "
            f"({count(lengths.get('windows'))} in all) whose results are joined, so that what only "
            "shows across two windows is not seen."
        )
    if lengths.get("left_out"):
        found.append(
            f"{plural(lengths['left_out'], 'text is', 'texts are')} longer than the model takes "
            "beside its answer: what was said first is not read there."
        )
    return found


def _at_once(lengths: Report) -> str:
    """How much is read at once, in words: all that the model takes, or a window of the run."""
    limit, window = lengths.get("max_model"), lengths.get("window")
    if window is None or window == limit:
        return f"the model's {count(limit)} tokens"
    return f"the {count(window)} tokens that are read at once"


def _test_rows(report: Report) -> tuple[str, str]:
    """What one test row is called, and several."""
    sheet = SHEETS[report["kind"]]
    return f"test {sheet.row}", f"test {sheet.rows}"


def _counted(report: Report) -> str:
    counted = SHEETS[report["kind"]].support
    return counted if counted.startswith("test ") else f"{counted} in the test rows"


def _calibration(report: Report) -> list[str]:
    error = (report["test"].get("calibration") or {}).get("expected_calibration_error")
    if error is None or error <= BAD_CALIBRATION:
        return []
    return [
        f"Its scores are off by {percent(error)} on average (expected calibration error): do not "
        "read a score of 0.9 as nine right out of ten."
    ]


def _adapters(report: Report) -> list[str]:
    if not report.get("adapters"):
        return []
    return [
        "It has adapters, for which other libraries have no place: transformers and "
        "sentence-transformers refuse the folder. Headway opens it, and headway export makes ONNX "
        "or JAX of it."
    ]


def _named(labels: list[str]) -> str:
    shown = ", ".join(shorten(str(label), 40) for label in labels[:12])
    return shown + (f" and {len(labels) - 12} more" if len(labels) > 12 else "")
