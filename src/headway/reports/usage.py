"""How a saved run is asked, as its card and the terminal say it."""

from __future__ import annotations

from typing import Any

from headway.reports.sheets import SHEETS

__all__ = ["usage"]

OF_PAIRS = ("single-label", "multi-label", "regression")
"""Kinds that answer a text, or a pair of texts where they learned from these."""


def usage(report: dict[str, Any]) -> tuple[str, str]:
    """What a pipeline is called with in Python, and what stands behind `headway predict RUN`.

    >>> usage({"kind": "single-label", "data": {"columns": {"pair": "hypothesis"}}})
    ('[("your text", "another text")]', '"your text" --pair "another text"')
    """
    sheet, columns = SHEETS[report["kind"]], (report.get("data") or {}).get("columns") or {}
    if report["kind"] in OF_PAIRS and columns.get("pair"):
        return '[("your text", "another text")]', '"your text" --pair "another text"'
    mask = report.get("mask_token") or "[MASK]"
    return sheet.call.replace("MASK", mask), sheet.shell.replace("MASK", mask)
