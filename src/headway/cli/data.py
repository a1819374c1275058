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
@click.option(
    "--tokenizer",
    "--model",
    "tokenizer",
    metavar="MODEL|FILE",
    help="Also count tokens, with this one, and compare them with its limit.",
)
@click.option(
    "--out", metavar="DIR", help="Also write report.html, README.md (a data card) and report.json."
)
@column_options
@file_options
@json_option
def inspect(
    data: str,
    *,
    tokenizer: str | None,
    out: str | None,
    text: str | None,
    pair: str | None,
    label: str | None,
    encoding: str | None,
    format: str | None,
    as_json: bool,
) -> None:
    """Labels, lengths, doubles, leaks, languages and odd rows of DATA.

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
    if out is not None:
        from headway.data import row_sample
        from headway.reports import write_data_report

        write_data_report(card, row_sample(rows, columns, card), out, name=_name_of(data))
    if as_json:
        say_json(card)
    else:
        show_card(card)


def _name_of(data: str) -> str:
    """The last part of where a data set is."""
    return data.rstrip("/").rpartition("/")[2] or data
