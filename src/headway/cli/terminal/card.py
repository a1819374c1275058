"""What a data set looks like, as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports.plain import printable
from headway.reports.words import count, decimals, languages, percent, plural, shorten

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["show_card"]

Card = dict[str, Any]

BAR = 24  # characters of the longest bar
LABELS = 30  # that are shown
LABEL = 24  # characters of a label
GIVEN_AWAY = 10  # labels whose words are shown
WORDS = 5  # of a label


def show_card(card: Card) -> None:
    """Columns, labels, lengths, then whatever is amiss, and the words that give labels away."""
    splits: dict[str, Card] = card["splits"]
    names = ", ".join(f"{name} {count(part['rows'])}" for name, part in splits.items())
    say(_bold(plural(card["rows"], "row")) + (f": {names}" if len(splits) > 1 else ""))
    say_prose(printable(card["columns"]["said"]))
    show(_columns(card))
    for name, part in splits.items():
        if part["labels"]:
            show(_labels(part["labels"], "" if len(splits) == 1 else f" ({name})"))
    show(_lengths(splits))
    for name, part in splits.items():
        of = "" if len(splits) == 1 else f" ({name})"
        say_prose(f"languages, guessed{of}: {languages(part['languages'])}")
    if any((card["artefacts"] or {}).values()):
        show(_artefacts(card["artefacts"]))
    say()
    _say_amiss(card)


def _columns(card: Card) -> Table:
    splits: dict[str, Card] = card["splits"]
    rows = table(["column", "type", "missing", "empty"], right=(2, 3))
    for name, kind in card["columns"]["types"].items():
        missing = sum(part["missing"].get(name, 0) for part in splits.values())
        empty = sum(part["empty"].get(name, 0) for part in splits.values())
        cells = [shorten(printable(name), 40), kind, count(missing), count(empty)]
        rows.add_row(*map(Text, cells))
    return rows


def _labels(labels: dict[str, Any], of: str) -> Table:
    """A bar a label; of decimals the range."""
    if "mean" in labels and "min" in labels:
        rows = table([f"label{of}", ""], right=(1,))
        for name in ("min", "mean", "max"):
            rows.add_row(Text(name), Text(decimals(labels[name])))
        return rows
    rows = table([f"label{of}", "rows", "share", ""], right=(1, 2))
    total, most = sum(labels.values()), max(labels.values())
    for label, number in list(labels.items())[:LABELS]:
        bar = Text("█" * max(1, round(BAR * number / most)), style="cyan")
        cells = [shorten(printable(label), LABEL), count(number), percent(number / total)]
        rows.add_row(*map(Text, cells), bar)
    if len(labels) > LABELS:
        rest = sum(list(labels.values())[LABELS:])
        cells = [f"{len(labels) - LABELS} more", count(rest), percent(rest / total), ""]
        rows.add_row(*map(Text, cells))
    return rows


def _lengths(splits: dict[str, Card]) -> Table:
    rows = table(["length of a row", "least", "median", "95%", "most", "mean"], right=range(1, 6))
    for name, part in splits.items():
        of = "" if len(splits) == 1 else f" ({name})"
        for unit in ("characters", "tokens"):
            lengths = part.get(unit)
            if lengths:
                shown = [lengths[key] for key in ("p0", "p50", "p95", "p100", "mean")]
                rows.add_row(Text(unit + of), *(Text(count(value)) for value in shown))
    return rows


def _say_amiss(card: Card) -> None:
    """One line for everything that should be looked at; or that there is nothing."""
    found = [
        f"{name}: {line}" if len(card["splits"]) > 1 else line
        for name, part in card["splits"].items()
        for line in _amiss(part)
    ]
    for leak in card["leakage"]:
        if leak["rows"]:
            found.append(
                f"{plural(leak['rows'], 'row')} of {leak['into']} ({percent(leak['share'])}) "
                f"{'is' if leak['rows'] == 1 else 'are'} also in {leak['of']}"
            )
        if (near := leak["near"] - leak["rows"]) > 0:
            row, other = leak["first"][0]
            found.append(
                f"{plural(near, 'row')} of {leak['into']} {'is' if near == 1 else 'are'} nearly "
                f"one of {leak['of']}, such as row {row} and row {other} there"
            )
    if not found:
        say("No doubles, leaks, contradictions or odd rows.")
        return
    say(_bold("To look at"))
    for line in found:
        say_prose(line, indent="  ! ")


def _amiss(part: Card) -> list[str]:
    lines = []
    exact, loose = part["duplicates"]["exact"], part["duplicates"]["ignoring_spacing"]
    if loose:
        more = f", {count(loose - exact)} of them but for spacing" if loose > exact else ""
        lines.append(f"{plural(loose, 'row')} repeat an earlier one{more}")
    if (near := part["duplicates"]["near"] - loose) > 0:
        row, other = part["near_duplicates"][0]
        lines.append(
            f"{plural(near, 'row is', 'rows are')} nearly an earlier one, such as row {row} and "
            f"row {other}"
        )
    if part["conflicts"]:
        lines.append(f"{plural(part['conflicts'], 'text')} with several different labels")
    for odd in part["odd"]:
        first = ", ".join(map(str, odd["first"]))
        lines.append(
            f"{odd['what']} in {plural(odd['rows'], 'row')} of {printable(odd['column'])!r}, "
            f"such as row {first} (counted from 0)"
        )
    over = part.get("over_max_length")
    if over and over["rows"]:
        lines.append(
            f"{plural(over['rows'], 'row')} ({percent(over['share'])}) longer than the model's "
            f"{count(over['max_length'])} tokens: they are read in windows"
        )
    return lines


def _artefacts(artefacts: dict[str, list[dict[str, Any]]]) -> Table:
    rows = table(["label", "words that give it away (rows with the label / rows)"])
    telling = {label: words for label, words in artefacts.items() if words}
    for label, words in list(telling.items())[:GIVEN_AWAY]:
        shown = ", ".join(
            f"{printable(one['word'])} ({one['rows_with_label']}/{one['rows']})"
            for one in words[:WORDS]
        )
        rows.add_row(Text(shorten(printable(label), LABEL)), Text(shown))
    if len(telling) > GIVEN_AWAY:
        rows.add_row(Text(f"{len(telling) - GIVEN_AWAY} more"), Text("with --json"))
    return rows


def _bold(text: str) -> str:
    return click.style(text, bold=True)
