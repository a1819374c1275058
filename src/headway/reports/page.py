"""report.html: one offline file."""

from __future__ import annotations

import html
from typing import Any

from headway.reports.facts import facts

__all__ = ["page"]


def page(report: dict[str, Any]) -> str:
    """The page, from a plain and printable report."""
    found = facts(report)
    title, said = html.escape(found["title"]), html.escape(found["headline"])
    return f"<!doctype html><title>{title}</title><p>{said}"
