"""`headway data`: looks at data sets."""

from __future__ import annotations

import click

import headway
from headway.cli.terminal.group import Group
from headway.cli.terminal.options import column_options, file_options, json_option
from headway.cli.terminal.output import say_json


@click.group("data", cls=Group)
def command() -> None:
    """Look at labelled text before training on it."""


@command.command("inspect")
@click.argument("data")
@click.option("--tokenizer", metavar="MODEL|FILE", help="Also count tokens, with this one.")
@column_options
@file_options
@json_option
def inspect(
    data: str,
    *,
    tokenizer: str | None,
    text: str | None,
    pair: str | None,
    label: str | None,
    encoding: str | None,
    format: str | None,
    as_json: bool,
) -> None:
    """Labels, lengths, doubles, leaks and odd rows of DATA.

    Also the words that give a label away: a model may learn them instead of the task.
    """
    from headway.cli.terminal.card import show_card
    from headway.cli.terminal.tokens import tokenizer_of
    from headway.data import guess_columns
    from headway.data import inspect as card_of

    counter = tokenizer_of(tokenizer) if tokenizer is not None else None
    rows = headway.read(data, format=format, encoding=encoding or "utf-8")
    columns = guess_columns(rows, text=text, pair=pair, label=label, labelled=label is not None)
    longest = counter.max_length if counter is not None else None
    card = card_of(rows, columns, tokenizer=counter, max_length=longest)
    if as_json:
        say_json(card)
    else:
        show_card(card)
