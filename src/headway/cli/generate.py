"""`headway generate`: what a model writes after prompts, or in answer to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

import headway
from headway.cli.terminal.options import FILE_OPTIONS, file_options, json_option, together
from headway.cli.terminal.output import say, say_json, say_piece
from headway.cli.terminal.texts import texts_in_file, texts_or_lines

PROMPT = 60
"""Most characters shown of a prompt above its text, where there are several."""

how_to_write = together(
    click.option(
        "--max-new-tokens",
        type=int,
        metavar="N",
        help="Most tokens written.  [default: as the checkpoint says, or 20]",
    ),
    click.option("--beams", type=int, metavar="N", help="Follow N beginnings at once."),
    click.option("--temperature", type=float, metavar="T", help="Draw; below 1 is bolder."),
    click.option("--top-k", type=int, metavar="K", help="Draw among the K likeliest tokens."),
    click.option("--top-p", type=float, metavar="P", help="Draw among tokens of this probability."),
    click.option("--min-p", type=float, metavar="P", help="Leave out tokens much less likely."),
    click.option("--repetition-penalty", type=float, metavar="X", help="Above 1: repeat less."),
    click.option("--no-repeat-ngram", type=int, metavar="N", help="No run of N tokens twice."),
    click.option("--sequences", type=int, metavar="N", help="Texts for each prompt."),
    click.option("--stop", multiple=True, metavar="TEXT", help="End before TEXT; repeatable."),
    click.option("--seed", type=int, metavar="N", help="Of what is drawn.  [default: 0]"),
)


@click.command("generate")
@click.argument("model")
@click.argument("prompts", nargs=-1, metavar="[PROMPT]...")
@click.option("--file", metavar="DATA", help="Prompts are the rows of a csv, jsonl, txt, ... file.")
@click.option(
    "--text", metavar="COL", help="Their column in the file.  [default: guessed and said]"
)
@file_options
@how_to_write
@click.option("--choice", multiple=True, metavar="TEXT", help="Write one of these; repeatable.")
@click.option("--regex", metavar="PATTERN", help="Write what PATTERN matches.")
@click.option("--schema", metavar="FILE", help="Write JSON that a JSON Schema describes.")
@click.option("--draft", metavar="MODEL", help="A small model with the same tokens, to be faster.")
@json_option
def command(
    model: str,
    prompts: tuple[str, ...],
    *,
    file: str | None,
    text: str | None,
    choice: tuple[str, ...],
    regex: str | None,
    schema: str | None,
    draft: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write what follows each PROMPT, or answers it, with a MODEL.

    Without PROMPT, or with - in its place, every line of standard input is one. The text of a
    single prompt is shown while it is written.
    """
    columns = {name: options.pop(name) for name in FILE_OPTIONS}
    asked = {name: value for name, value in options.items() if value not in (None, ())}
    constraint = _constraint(choice, regex, schema)
    if constraint is not None:
        asked["constraint"] = constraint
    given = list(_prompts(prompts, file, text, columns))
    write = headway.pipeline("text-generation", model)
    if draft is not None:
        asked["draft"] = headway.load(draft)
    decoding = write.model.decoding
    plain = asked.get("beams", decoding.beams) == asked.get("sequences", decoding.sequences) == 1
    if as_json:
        say_json(_documents(given, write(given, details=True, **asked)))
    elif len(given) == 1 and plain:
        _stream(write.model.stream(given[0], **asked))
    else:
        for prompt, texts in zip(given, write(given, **asked), strict=True):
            _show(prompt, [texts] if isinstance(texts, str) else texts)


def _prompts(
    prompts: tuple[str, ...], file: str | None, text: str | None, columns: dict[str, Any]
) -> Iterable[Any]:
    if file is None:
        for name, value in {"text": text, **columns}.items():
            if value is not None and name != "encoding":  # which standard input has too
                raise click.UsageError(
                    f"--{name.replace('_', '-')} is of a file. Next: name the --file.",
                    click.get_current_context(),
                )
        return texts_or_lines(prompts, encoding=columns["encoding"], otherwise=", name a --file")
    if prompts:
        raise click.UsageError("prompts and --file exclude each other", click.get_current_context())
    return texts_in_file(file, text=text, pair=None, **columns)


def _constraint(choice: tuple[str, ...], regex: str | None, schema: str | None) -> Any:
    from headway.errors import ConfigError
    from headway.generate import OneOf, Regex, Schema

    given = [name for name in (choice, regex, schema) if name]
    if len(given) > 1:
        raise click.UsageError(
            "--choice, --regex and --schema exclude each other", click.get_current_context()
        )
    if choice:
        return OneOf(choice)
    if regex:
        return Regex(regex)
    if not schema:
        return None
    try:
        return Schema(Path(schema).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--schema {schema} cannot be read: {getattr(error, 'strerror', None) or error}",
            allowed="a file that holds a JSON Schema",
        ) from None


def _stream(pieces: Iterable[str]) -> None:
    from headway.reports.plain import printable

    for piece in pieces:
        say_piece(str(printable(piece)))
    say()


def _show(prompt: str, texts: list[str]) -> None:
    from headway.reports.plain import printable
    from headway.reports.words import shorten

    say(click.style(f"» {shorten(str(printable(prompt)), PROMPT)}", dim=True))
    for text in texts:
        say(str(printable(text)))
    say()


def _documents(prompts: list[str], answers: list[Any]) -> list[dict[str, Any]]:
    """A document a text, with its prompt."""
    told = []
    for prompt, answer in zip(prompts, answers, strict=True):
        for each in answer if isinstance(answer, list) else [answer]:
            told.append({"prompt": prompt, **each})
    return told
