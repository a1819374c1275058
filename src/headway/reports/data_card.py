"""README.md of a data set: front matter as the hub reads it, and what inspection found as text."""

from __future__ import annotations

import re
from typing import Any

from headway.reports.card import markdown, yaml_block
from headway.reports.data_facts import data_facts
from headway.reports.data_page import MOST_LABELS, MOST_WORDS
from headway.reports.templating import templates

__all__ = ["MARK", "data_card"]

MARK = "<!-- Written by headway data inspect. -->"
_SIZES = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
]
_SPOKEN = 0.1  # share of rows from which the front matter names a language


def data_card(card: dict[str, Any], name: str) -> str:
    """The Markdown, from a plain and printable card of `headway.data.inspect`."""
    environment = templates(escape=False)
    environment.filters |= {"md": markdown}
    text = environment.get_template("data_card.md").render(
        front=yaml_block(_front_matter(card, name)),
        mark=MARK,
        title=name,
        near=card["near"],
        most_labels=MOST_LABELS,
        most_words=MOST_WORDS,
        **data_facts(card),
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _front_matter(card: dict[str, Any], name: str) -> dict[str, Any]:
    """The keys of a data set card that its rows can answer.

    https://huggingface.co/docs/hub/datasets-cards
    """
    front: dict[str, Any] = {"pretty_name": name}
    spoken = _spoken(card)
    if spoken:
        front["language"] = spoken
    size = next((size for rows, size in _SIZES if card["rows"] < rows), "n>10M")
    return front | {"size_categories": [size], "tags": ["text", "headway"]}


def _spoken(card: dict[str, Any]) -> list[str]:
    counts: dict[str, float] = {}
    for part in card["splits"].values():
        looked_at = max(1, part["languages"]["rows"])
        for code, n in part["languages"]["found"].items():
            counts[code] = counts.get(code, 0.0) + part["rows"] * n / looked_at
    known = {code: n for code, n in counts.items() if code != "unknown"}
    return [code for code, n in known.items() if n >= _SPOKEN * sum(known.values())]
