"""`headway search`: finds texts of a file by what they mean."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.terminal.options import file_options, json_option
from headway.cli.terminal.output import say, say_json, say_prose


@click.command("search")
@click.argument("model")
@click.argument("data")
@click.argument("queries", nargs=-1, metavar="[QUERY]...")
@click.option("--text", metavar="COL", help="Text column.  [default: guessed and said]")
@file_options
@click.option("--top", type=int, default=5, show_default=True, metavar="K", help="Texts told.")
@click.option("--window", type=int, help="Most tokens of a passage.  [default: all it takes]")
@json_option
def command(
    model: str,
    data: str,
    queries: tuple[str, ...],
    *,
    text: str | None,
    top: int,
    window: int | None,
    as_json: bool,
    **files: Any,
) -> None:
    """Find texts of DATA that mean what each QUERY says.

    MODEL embeds texts; the vectors of DATA are made once and kept. Without QUERY, or with - in its
    place, every line of standard input is one. A long text is searched in passages.
    """
    from headway.cli.terminal.texts import one_in, texts_or_lines
    from headway.search import SemanticSearch

    asked = list(texts_or_lines(queries, encoding=files["encoding"]))
    search = SemanticSearch(model, one_in(data, **files), text=text, window=window)
    found = search.search(asked, top=top)
    if as_json:
        say_json(
            [{"query": query, "found": hits} for query, hits in zip(asked, found, strict=True)]
        )
        return
    from headway.reports.plain import printable

    for number, (query, hits) in enumerate(zip(asked, found, strict=True)):
        if len(asked) > 1:
            say(("\n" if number else "") + click.style(printable(query), bold=True))
        for hit in hits:
            place = f"row {hit['row'] + 1}"
            if hit["tokens"]["windows"] > 1:
                place += f", characters {hit['start']:,} to {hit['end']:,}"
            say(f"{click.style(format(hit['score'], '.3f'), bold=True)}  {place}")
            say_prose(printable(" ".join(hit["text"].split())), indent="       ")
