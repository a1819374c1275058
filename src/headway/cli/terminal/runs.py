"""What a run measured, as text on a terminal."""

from __future__ import annotations

import shlex
from typing import Any

import click
from rich.text import Text

from headway.cli.terminal.output import say, say_prose, show, table
from headway.reports import headline, result_table, seed_table
from headway.reports.plain import printable
from headway.reports.words import count, decimals, plural, shorten

__all__ = ["show_result", "show_scores"]

EXAMPLES = 3
TEXT = 38  # characters of an example's text
GIVEN = {
    "multiple-choice": "--file your-questions.csv",
    "question-answering": '"your question" --pair "your context"',
    "sentence-similarity": '"your text" --pair "another text"',
}
"""Task -> what `headway predict` is given, where that is more than a text."""


def show_result(report: dict[str, Any], folder: str) -> None:
    """Scores beside the baseline, over the seeds if there are several, examples, what is next."""
    show_scores(report)
    if report.get("seeds"):
        show(seed_table(report))
    _show_examples(report)
    say()
    say(f"Saved in {click.style(folder, bold=True)}: the model, report.html and README.md.")
    given = GIVEN.get(report["task"], '"your text"')
    say(f"Next: headway predict {shlex.quote(folder)} {given}")


def show_scores(report: dict[str, Any]) -> None:
    """Scores, beside the baseline if there is one, in a table and in a sentence."""
    show(result_table(report))
    say()
    say_prose(headline(report))
    _say_lengths(report)


def _say_lengths(report: dict[str, Any]) -> None:
    lengths = report["lengths"]
    longest = f"The longest text has {count(lengths['max_seen'])} tokens"
    if lengths["windowed"]:
        longest += (
            f", the model takes {count(lengths['max_model'])}: "
            f"{plural(lengths['windowed'], 'text was', 'texts were')} read in windows, none cut"
        )
    say_prose(longest + ".")


def _show_examples(report: dict[str, Any]) -> None:
    """Two right answers and a wrong one, where there are such."""
    examples = report["examples"]
    right = [one for one in examples if one["right"]]
    wrong = [one for one in examples if not one["right"]]
    shown = [*right[: EXAMPLES - len(wrong[:1])], *wrong][:EXAMPLES]
    number = report["kind"] == "regression"
    rows = table(["for example", "label", "predicted"], right=(1, 2) if number else ())
    for one in shown:
        found = _words(one["prediction"])
        if one["score"] is not None:
            scores = one["score"] if isinstance(one["score"], list) else [one["score"]]
            found += " " + " ".join(f"{score:.2f}" for score in scores if score is not None)
        style = "" if number or one["right"] else "red"
        text = shorten(printable(one["text"]), TEXT)
        rows.add_row(Text(text), Text(_words(one["label"])), Text(found, style=style))
    show(rows)


def _words(label: Any) -> str:
    if isinstance(label, float):
        return decimals(label)
    if isinstance(label, list):
        label = ", ".join(map(str, label)) or "(none)"
    return shorten(printable(str(label)), 24)
