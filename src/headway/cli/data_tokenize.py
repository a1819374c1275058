"""`headway data tokenize`: files of any size to shards of token ids, on one machine or on many."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.terminal.options import file_options, json_option
from headway.cli.terminal.output import say, say_json
from headway.cli.terminal.texts import how_to_read

__all__ = ["tokenize"]


@click.command("tokenize")
@click.argument("data")
@click.option("--model", "--tokenizer", "model", required=True, metavar="MODEL|FILE")
@click.option(
    "--out", required=True, metavar="DIR", help="Folder of the shards; a killed run goes on there."
)
@click.option("--text", default="text", show_default=True, metavar="COL", help="Text column.")
@click.option("--keep", multiple=True, metavar="COL", help="Keep this column too; may be repeated.")
@click.option(
    "--as",
    "shards",
    type=click.Choice(["parquet", "arrow"]),
    default="parquet",
    show_default=True,
    help="Format of the shards.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Tasks at a time.  [default: 1; all processors of a cluster]",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="This machine, or a Ray cluster.",
)
@click.option("--address", metavar="HOST:PORT", help="Of the cluster.  [default: one started here]")
@file_options
@json_option
def tokenize(
    data: str,
    *,
    model: str,
    out: str,
    text: str,
    keep: tuple[str, ...],
    shards: str,
    workers: int | None,
    engine: str,
    address: str | None,
    as_json: bool,
    **files: Any,
) -> None:
    """Write the token ids of DATA as shards: column `ids`.

    DATA is a file, a folder of files, or a pattern in quotes, such as "corpus/*.jsonl.gz". Large
    files are cut, so that each shard is made of about 64 MB.
    """
    from headway.cli.terminal.tokens import tokenizer_of
    from headway.data import scan
    from headway.reports.words import file_size, plural

    plan = scan(data, **how_to_read(**files))
    plan = plan.tokenize(tokenizer_of(model), column=text).keep(["ids", *keep])
    made = plan.write(out, format=shards, engine=engine, workers=workers, address=address)
    if as_json:
        names = [file.name for file in made.files]
        say_json({"folder": out, "files": names, "rows": made.rows, "bytes": made.bytes})
        return
    size = file_size(made.bytes)
    said = f"{plural(made.rows, 'row')} in {plural(len(made.files), 'shard')}, {size}"
    say(f"{said}: {click.style(out, bold=True)}{'' if made.made else ', which was there already'}")
