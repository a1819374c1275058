"""`headway data`: looks at data sets and at results of their steps, and writes token ids."""

from __future__ import annotations

import re
from typing import Any

import click

from headway.cli.data_tokenize import tokenize
from headway.cli.terminal.group import Group
from headway.cli.terminal.options import column_options, file_options, json_option, near_option
from headway.cli.terminal.output import say, say_json
from headway.cli.terminal.texts import rows_in


@click.group("data", cls=Group)
def command() -> None:
    """Look at labelled text, and at results that are kept."""


command.add_command(tokenize)


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
@near_option("How much of their text near duplicates share.  [default: 0.8]")
@column_options
@file_options
@json_option
def inspect(
    data: str,
    *,
    tokenizer: str | None,
    out: str | None,
    near: float | None,
    text: str | None,
    pair: str | None,
    label: str | None,
    as_json: bool,
    **files: Any,
) -> None:
    """Labels, lengths, doubles, leaks, languages and odd rows of DATA.

    Also the words that give a label away: a model may learn them instead of the task.
    """
    from headway.cli.terminal.card import show_card
    from headway.cli.terminal.tokens import tokenizer_of
    from headway.data import guess_columns
    from headway.data import inspect as card_of
    from headway.data.duplicates.near import NEAR

    counter = tokenizer_of(tokenizer) if tokenizer is not None else None
    rows = rows_in(data, **files)
    columns = guess_columns(rows, text=text, pair=pair, label=label, labelled=label is not None)
    longest = counter.max_length if counter is not None else None
    alike = NEAR if near is None else near
    card = card_of(rows, columns, tokenizer=counter, max_length=longest, near=alike)
    if out is not None:
        from headway.data import row_sample
        from headway.reports import write_data_report

        write_data_report(card, row_sample(rows, columns, card), out, name=_name_of(data))
    if as_json:
        say_json(card)
    else:
        show_card(card)


@command.command("why")
@click.argument("key", required=False)
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, metavar="N")
@json_option
def why(key: str | None, *, last: int, as_json: bool) -> None:
    """Why the last steps of cached data sets were computed.

    With KEY, or its first digits, everything that the key of this result was made of.
    """
    from dataclasses import asdict

    from headway.cli.terminal.results import show_made, show_one
    from headway.data.cache import Store
    from headway.errors import DataError

    store = Store()
    made = store.history.made()[:last] if key is None else store.history.made()
    if key is not None:
        made = [one for one in made if one.key.startswith(key)][:1]
        if not made:
            raise DataError(
                f"no result {key!r} was made lately", next_step="headway data why, which lists them"
            )
    if as_json:
        say_json([asdict(one) for one in made])
    elif key is not None:
        show_one(made[0])
    elif made:
        show_made(made)
    else:
        say(f"No step was computed yet: {store.folder} is empty.")


@command.command("cache")
@click.option("--clear", is_flag=True, help="Remove all results.")
@click.option("--most", metavar="SIZE", help="Remove the oldest beyond this size, such as 5GB.")
@json_option
def cache(*, clear: bool, most: str | None, as_json: bool) -> None:
    """The results of data steps that are kept on disk.

    The folder is HEADWAY_CACHE/steps, or .cache/headway/steps at home.
    """
    from headway.cli.terminal.results import show_entries
    from headway.data.cache import Store
    from headway.reports.words import file_size, plural

    store = Store()
    if most is not None:
        store.most_bytes = _bytes_of(most)
    removed = store.clear() if clear else store.clean() if most is not None else []
    entries = store.entries()
    if as_json:
        kept = [{"key": e.key, "step": e.parts.get("step"), "bytes": e.bytes} for e in entries]
        say_json({"removed": [entry.key for entry in removed], "kept": kept})
        return
    if clear or most is not None:
        size = file_size(sum(entry.bytes for entry in removed))
        say(f"Removed {plural(len(removed), 'result')}, {size}.")
    show_entries(entries, store.most_bytes)


_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def _bytes_of(size: str) -> int:
    """The bytes that `5GB` means.

    >>> _bytes_of("1.5 kB")
    1500
    """
    from headway.errors import ConfigError

    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]*)", size.strip().lower())
    if found is None or found[2] not in _UNITS:
        raise ConfigError(
            f"--most {size}: no size", allowed="a number with B, kB, MB, GB or TB, such as 5GB"
        )
    return int(float(found[1]) * _UNITS[found[2]])


def _name_of(data: str) -> str:
    """The last part of where a data set is."""
    return data.rstrip("/").rpartition("/")[2] or data
