"""`headway compare`: two saved runs on the same labelled rows."""

from __future__ import annotations

from typing import Any

import click

import headway
from headway.cli.terminal.options import PRECISION, column_options, file_options, json_option
from headway.cli.terminal.output import say_json
from headway.logs import log


@click.command("compare")
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option("--data", required=True, metavar="DATA", help="Rows whose answers are known.")
@click.option(
    "--split", default="test", show_default=True, help="Which split counts, if there are several."
)
@column_options
@file_options
@click.option("--window", type=int, help="Most tokens read at once.  [default: as each run]")
@click.option("--stride", type=int, help="Tokens that windows share.  [default: as each run]")
@click.option("--precision", type=PRECISION, help="Of the computation.  [default: as each run]")
@click.option(
    "--batch-tokens", type=int, default=2048, show_default=True, help="Most tokens at once."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the permutation test.")
@json_option
def command(first: str, second: str, *, data: str, as_json: bool, **settings: Any) -> None:
    """Measure two runs on the same rows.

    RUN_A and RUN_B are of one task, whatever their models and sizes. Paired tests say whether they
    differ by more than chance.
    """
    found = headway.compare(first, second, data, **settings)
    for note in found["notes"]:
        log.info("%s", note)
    if as_json:
        say_json(found)
        return
    from headway.cli.terminal.comparison import show_comparison

    show_comparison(found)
