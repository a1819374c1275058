"""What inspection found, as the sections that a data set's page and card share, in words."""

from __future__ import annotations

from typing import Any

from headway.reports.words import count, decimals, languages, percent, plural

__all__ = ["data_facts"]

Card = dict[str, Any]
Rows = list[tuple[str, ...]]


def data_facts(card: Card) -> dict[str, Any]:
    """Tables and sentences, from a plain and printable card of `headway.data.inspect`."""
    splits: dict[str, Card] = card["splits"]
    return {
        "headline": _headline(card),
        "said": card["columns"]["said"],
        "schema": _schema(card),
        "labels": {name: _labels(part["labels"] or {}) for name, part in splits.items()},
        "lengths": _lengths(splits),
        "over": [before + line for before, part in _said_of(splits) for line in _over(part)],
        "repeats": _repeats(splits),
        "leaks": _leaks(card),
        "odd": _odd(splits),
        "languages": [
            (name, languages(part["languages"]), count(part["languages"]["rows"]))
            for name, part in splits.items()
        ],
        "artefacts": _artefacts(card["artefacts"] or {}),
        "amiss": _amiss(card),
    }


def _headline(card: Card) -> str:
    parts = [f"{name} {count(part['rows'])}" for name, part in card["splits"].items()]
    split = f": {', '.join(parts)}" if len(parts) > 1 else ""
    return plural(card["rows"], "row") + split


def _schema(card: Card) -> Rows:
    columns, splits = card["columns"], card["splits"].values()
    roles = {columns["text"]: "text", columns["pair"]: "pair", columns["label"]: "label"}
    return [
        (
            name,
            roles.get(name, "–"),
            kind,
            count(sum(part["missing"].get(name, 0) for part in splits)),
            count(sum(part["empty"].get(name, 0) for part in splits)),
        )
        for name, kind in columns["types"].items()
    ]


def _labels(labels: dict[str, Any]) -> Rows:
    """(label, rows, share); of decimals only their range."""
    if set(labels) == {"min", "mean", "max"} and isinstance(labels["mean"], float):
        return [(name, decimals(value), "–") for name, value in labels.items()]
    total = max(1, sum(labels.values()))
    return [(label, count(n), percent(n / total)) for label, n in labels.items()]


def _lengths(splits: dict[str, Card]) -> Rows:
    keys = ("p0", "p5", "p50", "p95", "p99", "p100", "mean")
    return [
        (f"{unit}{'' if len(splits) == 1 else f', {name}'}", *(count(part[unit][k]) for k in keys))
        for name, part in splits.items()
        for unit in ("characters", "tokens")
        if part.get(unit)
    ]


def _said_of(splits: dict[str, Card]) -> list[tuple[str, Card]]:
    """What a sentence about a split begins with: nothing where there is one only."""
    return [(f"{name}: " if len(splits) > 1 else "", part) for name, part in splits.items()]


def _over(part: Card) -> list[str]:
    over = part.get("over_max_length")
    if not over:
        return []
    rows = plural(over["rows"], "row is", "rows are") if over["rows"] else "No row is"
    return [f"{rows} longer than the model's limit of {count(over['max_length'])} tokens."]


def _repeats(splits: dict[str, Card]) -> Rows:
    return [
        (
            name,
            count(part["duplicates"]["exact"]),
            count(part["duplicates"]["ignoring_spacing"]),
            count(part["duplicates"]["near"]),
            "–" if part["conflicts"] is None else count(part["conflicts"]),
        )
        for name, part in splits.items()
    ]


def _leaks(card: Card) -> Rows:
    return [
        (
            f"{leak['into']} in {leak['of']}",
            count(leak["rows"]),
            percent(leak["share"]),
            count(leak["near"]),
            ", ".join(f"{row} ~ {other}" for row, other in leak["first"]) or "–",
        )
        for leak in card["leakage"]
    ]


def _odd(splits: dict[str, Card]) -> Rows:
    return [
        (odd["what"], odd["column"], name, count(odd["rows"]), ", ".join(map(str, odd["first"])))
        for name, part in splits.items()
        for odd in part["odd"]
    ]


def _artefacts(artefacts: dict[str, list[dict[str, Any]]]) -> Rows:
    return [
        (
            label,
            one["word"],
            decimals(one["pmi"]),
            decimals(one["pmi_low"]),
            f"{count(one['rows_with_label'])} of {count(one['rows'])}",
        )
        for label, words in artefacts.items()
        for one in words
    ]


def _amiss(card: Card) -> list[str]:
    """One sentence for everything that should be looked at before training."""
    lines = []
    for before, part in _said_of(card["splits"]):
        if part["duplicates"]["near"]:
            rows = plural(part["duplicates"]["near"], "row is", "rows are")
            lines.append(f"{before}{rows} the same as an earlier one, or nearly.")
        if part["conflicts"]:
            texts = plural(part["conflicts"], "text stands", "texts stand")
            lines.append(f"{before}{texts} there with several different labels.")
        if empty := sum(part["empty"].values()):
            lines.append(f"{before}{plural(empty, 'text is', 'texts are')} empty.")
        for odd in part["odd"]:
            lines.append(f"{before}{odd['what']} in {plural(odd['rows'], 'row')}.")
    for leak in card["leakage"]:
        if leak["near"]:
            verb = "is" if leak["near"] == 1 else "are"
            lines.append(
                f"{plural(leak['near'], 'row')} of {leak['into']} {verb} also in {leak['of']}, or "
                "nearly."
            )
    if telling := [label for label, words in (card["artefacts"] or {}).items() if words]:
        lines.append(
            f"Single words give away {plural(len(telling), 'label')}: a model may learn them "
            "instead of the task."
        )
    return lines
