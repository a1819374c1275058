"""What a run measured, as text on a terminal."""

from __future__ import annotations

import shlex
from typing import Any

import click
from rich.text import Text

from headway.cli.terminal.output import say, say_prose, show, table, width
from headway.reports import headline, result_table, seed_table
from headway.reports.plain import printable
from headway.reports.sheets import SHEETS, Sheet
from headway.reports.usage import usage
from headway.reports.words import count, decimals, plural, shorten

__all__ = ["show_result", "show_scores"]

EXAMPLES = 3
TEXT = 38  # characters of an example's text
ANSWER = 24  # characters of an answer that stands beside its text
INDENT = "  "


def show_result(report: dict[str, Any], folder: str) -> None:
    """Scores beside the baseline, over the seeds if there are several, examples, what is next."""
    show_scores(report)
    if report.get("seeds"):
        show(seed_table(report))
    _show_examples(report)
    say()
    say(f"Saved in {click.style(folder, bold=True)}: the model, report.html and README.md.")
    _, given = usage(report)
    say(f"Next: headway predict {shlex.quote(folder)} {given}")


def show_scores(report: dict[str, Any]) -> None:
    """Scores, beside the baseline if there is one, in a table and in a sentence."""
    show(result_table(report))
    say()
    say_prose(headline(report))
    _say_lengths(report)


def _say_lengths(report: dict[str, Any]) -> None:
    lengths = report["lengths"]
    longest = f"The longest text has {plural(lengths['max_seen'], 'token')}"
    if lengths["windowed"]:
        limit, window = lengths["max_model"], lengths.get("window")
        takes = "the model takes" if window in (None, limit) else "at once it reads"
        longest += (
            f", {takes} {count(window or limit)}: "
            f"{plural(lengths['windowed'], 'text was', 'texts were')} read in windows, none cut"
        )
    if left_out := lengths.get("left_out"):
        longest += (
            f"; {plural(left_out, 'text', 'texts')} had no room for what was said first, which is "
            "not read"
        )
    say_prose(longest + ".")


def _show_examples(report: dict[str, Any]) -> None:
    """Two right answers and a wrong one, where there are such."""
    examples = report["examples"]
    right = [one for one in examples if one["right"]]
    wrong = [one for one in examples if not one["right"]]
    shown = [*right[: EXAMPLES - len(wrong[:1])], *wrong][:EXAMPLES]
    answers = [one[side] for one in shown for side in ("label", "prediction")]
    if max((len(_words(answer)) for answer in answers), default=0) <= ANSWER:
        _show_beside(shown, SHEETS[report["kind"]])
    else:
        _show_below(shown, SHEETS[report["kind"]])


def _show_beside(shown: list[dict[str, Any]], sheet: Sheet) -> None:
    """A line a row: its text and both answers."""
    number = any(isinstance(one["label"], float) for one in shown)
    known = any(one["label"] != "" for one in shown)
    right = (1, 2) if number else ()
    names = [sheet.truth, "predicted"] if known else ["measured"]
    rows = table(["for example", *names], right=right)
    for one in shown:
        text = shorten(printable(one["text"]), TEXT)
        style = "" if one["right"] or not sheet.judged else "red"
        found = Text(_words(one["prediction"]) + _sure(one, sheet), style=style)
        rows.add_row(Text(text), *([Text(_words(one["label"]))] if known else []), found)
    show(rows)


def _show_below(shown: list[dict[str, Any]], sheet: Sheet) -> None:
    """Three lines a row, each as wide as the terminal: answers that are texts, or many."""
    names = (sheet.said, sheet.true)
    side = max(map(len, names))
    room = width() - len(INDENT) - side - len("  ")
    for one in shown:
        say()
        say(INDENT + shorten(printable(one["text"]), width() - len(INDENT)))
        sure = _sure(one, sheet)
        for name, answer, more in zip(
            names, (one["prediction"], one["label"]), (sure, ""), strict=True
        ):
            wrong = more is sure and sheet.judged and not one["right"]
            found = shorten(_words(answer), room - len(more)) + more
            say(f"{INDENT}{name:{side}}  {click.style(found, fg='red') if wrong else found}")


def _sure(example: dict[str, Any], sheet: Sheet) -> str:
    """How sure the model is of an answer, where it says so."""
    if example["score"] is None or not sheet.said:
        return ""
    scores = example["score"] if isinstance(example["score"], list) else [example["score"]]
    return "".join(f" {score:.2f}" for score in scores if score is not None)


def _words(answer: Any) -> str:
    if isinstance(answer, float):
        return decimals(answer)
    if isinstance(answer, list):
        answer = ", ".join(map(str, answer)) or "(none)"
    return printable(" ".join(str(answer).split()))
