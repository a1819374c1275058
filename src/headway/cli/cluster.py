"""`headway cluster`: sorts the texts of a file into groups of like ones."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from headway.cli.terminal.options import file_options, json_option
from headway.cli.terminal.output import say, say_json

SHOWN = 72
"""Characters of a text beside its group."""


@click.command("cluster")
@click.argument("model")
@click.argument("data")
@click.option("--clusters", type=int, metavar="K", help="How many.  [default: looked for]")
@click.option("--text", metavar="COL", help="Text column.  [default: guessed and said]")
@file_options
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is drawn.")
@json_option
def command(
    model: str,
    data: str,
    *,
    clusters: int | None,
    text: str | None,
    seed: int,
    as_json: bool,
    **files: Any,
) -> None:
    """Sort the texts of DATA into groups of like ones.

    MODEL embeds texts; the vectors of DATA are made once and kept. A group is named by the words
    that tell it from the others, and shown by the texts next to its centre.
    """
    from headway.cli.terminal.texts import one_in
    from headway.search import cluster

    found = cluster(model, one_in(data, **files), clusters=clusters, text=text, seed=seed)
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    from headway.reports.plain import printable
    from headway.reports.words import plural, shorten

    say(f"{plural(len(found.clusters), 'cluster')}, silhouette {found.silhouette:.3f}")
    for each in found.clusters:
        say()
        say(f"{click.style(printable(each['name']), bold=True)}: {plural(each['size'], 'text')}")
        for one in each["nearest"]:
            shown = shorten(printable(" ".join(one["text"].split())), SHOWN)
            say(f"  row {one['row'] + 1}: {shown}")
