"""`headway predict`: answers texts with a saved model, whatever its task."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import Any

import click

from headway.cli.terminal.options import FILE_OPTIONS, PRECISION, file_options, json_option
from headway.cli.terminal.output import say, say_json
from headway.cli.terminal.texts import one_in, texts_in_file, texts_or_lines
from headway.errors import ConfigError
from headway.logs import log

AT_ONCE = 4096
"""Rows of a file that are made inputs at once."""


@click.command("predict")
@click.argument("run")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--task", metavar="NAME", help="What is asked.  [default: what RUN was made for]")
@click.option("--file", metavar="DATA", help="Answer the rows of a csv, jsonl, txt, ... file.")
@click.option("--text", metavar="COL", help="Text column of the file.  [default: guessed and said]")
@click.option(
    "--pair",
    metavar="TEXT",
    help="The second text, such as the context of a question; with --file, its column's name.",
)
@file_options
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="LABEL",
    help="A label to choose from, for zero-shot-classification; several times.",
)
@click.option("--top", type=int, metavar="K", help="The K likeliest answers to each text.")
@click.option("--precision", type=PRECISION, default="fp32", show_default=True)
@json_option
def command(
    run: str,
    texts: tuple[str, ...],
    *,
    task: str | None,
    file: str | None,
    pair: str | None,
    names: tuple[str, ...],
    precision: str,
    as_json: bool,
    top: int | None,
    **columns: Any,
) -> None:
    """Answer each TEXT with a saved RUN.

    RUN may be any MODEL with a head. Without TEXT, or with - in its place, every line of standard
    input is one. A text that is longer than the model is read in windows.
    """
    from headway.cli.terminal.answers import LINES, line_of, width_of
    from headway.pipelines import pipeline_of, task_and_model

    chosen, model, saved = task_and_model(run, task)
    if chosen not in LINES:
        raise ConfigError(
            f"{chosen} has no answers that are lines",
            allowed=", ".join(LINES),
            next_step=f"headway.pipeline({chosen!r}, {run!r}) in Python",
        )
    ask = pipeline_of(chosen, model, saved, precision=precision)
    given: Iterable[Any]
    if file is None:
        _refuse_columns(columns)
        given = texts_or_lines(texts, encoding=columns["encoding"], otherwise=", name a --file")
        given = given if pair is None else ((text, pair) for text in given)
    elif texts:
        raise click.UsageError("texts and --file exclude each other", click.get_current_context())
    else:
        given = _inputs_in(chosen, file, pair=pair, **columns)
    told, read = tee(given)
    answers = zip(told, ask(read, **_asked(ask, names, top)), strict=True)
    if as_json:
        say_json([_document(chosen, text, answer) for text, answer in answers])
        return
    width = width_of(names or tuple(getattr(ask, "labels", ())))
    for text, answer in answers:
        say(line_of(chosen, _shown(chosen, text), answer, width=width))


def _refuse_columns(columns: dict[str, Any]) -> None:
    for name in ("text", *FILE_OPTIONS):
        if columns[name] is not None and name != "encoding":  # which standard input has too
            raise click.UsageError(
                f"--{name.replace('_', '-')} is of a file. Next: name the --file.",
                click.get_current_context(),
            )


def _asked(ask: Any, names: tuple[str, ...], top: int | None) -> dict[str, Any]:
    """The options of one call, of those that the task has."""
    known = inspect.signature(ask).parameters
    given = {"labels": list(names) or None, "top": top}
    for name, option in (("labels", "--name"), ("top", "--top")):
        if given[name] is not None and name not in known:
            raise click.UsageError(
                f"this task has no {option}. Next: leave it out.", click.get_current_context()
            )
    if "labels" in known and not names:
        raise click.UsageError(
            "no labels to choose from. Next: --name LABEL, several times.",
            click.get_current_context(),
        )
    return {name: value for name, value in given.items() if value is not None}


def _inputs_in(
    task: str, file: str, *, text: str | None, pair: str | None, **files: Any
) -> Iterator[Any]:
    """The rows of a file as the task's pipeline takes them, some thousand at a time."""
    from headway.tasks import TASKS

    if task not in TASKS:
        yield from texts_in_file(file, text=text, pair=pair, **files)
        return
    learned, data = TASKS[task], one_in(file, **files)
    columns = learned.columns(data, text=text, pair=pair, label=None, labelled=False)
    log.info("%s", columns.said)
    for start in range(0, len(data), AT_ONCE):
        yield from learned.inputs(data[start : start + AT_ONCE], columns, before=start)


def _shown(task: str, given: Any) -> str:
    """An input as people read it."""
    from headway.tasks import TASKS
    from headway.tasks.inputs import shown_text

    if isinstance(given, str) or task not in TASKS:
        return shown_text(given)
    return TASKS[task].shown(given)


def _document(task: str, given: Any, answer: Any) -> dict[str, Any]:
    told = answer if isinstance(answer, dict) else {"answer": answer}
    if isinstance(given, tuple) and all(isinstance(side, str) for side in given):
        return {"text": given[0], "pair": given[1], **told}
    shown = _shown(task, given)
    # What was written is called text, too: the input is then its prompt.
    return {"prompt" if "text" in told else "text": shown, **told}
