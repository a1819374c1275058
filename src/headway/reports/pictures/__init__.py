"""The pictures of a report, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.reports.pictures.canvas import Picture
from headway.reports.pictures.confusion import confusion
from headway.reports.pictures.curve import curve
from headway.reports.pictures.intervals import intervals
from headway.reports.pictures.label_bars import label_bars
from headway.reports.pictures.lengths import lengths
from headway.reports.pictures.rates import rates
from headway.reports.pictures.reliability import reliability
from headway.reports.pictures.scatter import cosines, residuals, scatter

__all__ = ["PICTURES", "Picture", "pictures"]

PICTURES: dict[str, tuple[Callable[[dict[str, Any]], Picture | None], ...]] = {
    "single-label": (intervals, confusion, reliability, curve, rates, lengths),
    "multi-label": (intervals, label_bars, reliability, curve, rates, lengths),
    "regression": (intervals, scatter, residuals, curve, rates, lengths),
    "similarity": (intervals, cosines, curve, rates, lengths),
}
"""Kind -> what is drawn of it."""

USUAL = (intervals, label_bars, curve, rates, lengths)
"""What is drawn of every other kind."""


def pictures(report: dict[str, Any]) -> dict[str, Picture]:
    """The pictures of the report's kind that it has numbers for, by name, in reading order."""
    drawn = (paint(report) for paint in PICTURES.get(report["kind"], USUAL))
    return {picture.name: picture for picture in drawn if picture is not None}
