"""`headway predict`: answers texts with a saved model."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import Any

import click

import headway
from headway.cli.terminal.options import FILE_OPTIONS, PRECISION, file_options, json_option
from headway.cli.terminal.output import say, say_json
from headway.cli.terminal.texts import texts_in_file, texts_or_lines

LABEL, TEXT = 24, 20
"""Most characters of a label; fewest of a text beside its answer, which ends with the line."""


@click.command("predict")
@click.argument("run")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", metavar="DATA", help="Answer the rows of a csv, jsonl, txt, ... file.")
@click.option("--text", metavar="COL", help="Text column of the file.  [default: guessed and said]")
@click.option(
    "--pair", metavar="TEXT", help="The second text, for pairs; with --file, its column's name."
)
@file_options
@click.option("--top", type=int, metavar="K", help="The K likeliest labels of each text.")
@click.option("--precision", type=PRECISION, default="fp32", show_default=True)
@json_option
def command(
    run: str,
    texts: tuple[str, ...],
    *,
    file: str | None,
    pair: str | None,
    top: int | None,
    precision: str,
    as_json: bool,
    **columns: Any,
) -> None:
    """Answer each TEXT with a saved RUN.

    RUN may be any MODEL with a head for labels. Without TEXT, or with - in its place, every line of
    standard input is one. A text that is longer than the model is read in windows.
    """
    given: Iterable[Any]
    if file is None:
        _refuse_columns(columns)
        given = texts_or_lines(texts, encoding=columns["encoding"], otherwise=", name a --file")
        given = given if pair is None else ((text, pair) for text in given)
    elif texts:
        raise click.UsageError("texts and --file exclude each other", click.get_current_context())
    else:
        given = texts_in_file(file, pair=pair, **columns)
    classify = headway.pipeline("text-classification", run, precision=precision)
    told, read = tee(given)
    answers = zip(told, classify(read, top=top), strict=True)
    if as_json:
        say_json([_document(text, answer) for text, answer in answers])
        return
    width = min(LABEL, max(map(len, classify.labels))) + len(" 0.000")
    for line in _lines(answers, width):
        say(line)


def _refuse_columns(columns: dict[str, Any]) -> None:
    for name in ("text", *FILE_OPTIONS):
        if columns[name] is not None and name != "encoding":  # which standard input has too
            raise click.UsageError(
                f"--{name.replace('_', '-')} is of a file. Next: name the --file.",
                click.get_current_context(),
            )


def _document(text: Any, answer: dict[str, Any]) -> dict[str, Any]:
    if isinstance(text, tuple):
        return {"text": text[0], "pair": text[1], **answer}
    return {"text": text, **answer}


def _lines(answers: Iterable[tuple[Any, dict[str, Any]]], width: int) -> Iterator[str]:
    """`label score  text`, a line a text; how many windows, where it is more than one."""
    from headway.reports.plain import printable
    from headway.reports.words import shorten

    columns = shutil.get_terminal_size().columns
    for text, answer in answers:
        labels, scores = answer["label"], answer["score"]
        if not isinstance(labels, list):
            labels, scores = [labels], [scores]
        names = (shorten(printable(label), LABEL) for label in labels)
        parts = [f"{name} {score:.3f}" for name, score in zip(names, scores, strict=True)]
        found = ", ".join(parts) or "(no label)"
        shown = " ⏐ ".join(text) if isinstance(text, tuple) else text
        read = ""
        if answer["tokens"]["windows"] > 1:
            read = "  [{total:,} tokens in {windows:,} windows]".format(**answer["tokens"])
        found = found.ljust(width)
        room = max(TEXT, columns - len(found) - len("  ") - len(read))
        line = f"{click.style(found, bold=True)}  {shorten(printable(shown), room)}"
        yield (line + (click.style(read, dim=True) if read else "")).rstrip()
