"""`headway evaluate`: scores a saved run on labelled rows."""

from __future__ import annotations

from typing import Any

import click

import headway
from headway.cli.terminal.options import PRECISION, column_options, file_options, json_option
from headway.cli.terminal.output import say_json
from headway.logs import log


@click.command("evaluate")
@click.argument("run")
@click.argument("data")
@click.option(
    "--split", default="test", show_default=True, help="Which split counts, if there are several."
)
@column_options
@file_options
@click.option("--window", type=int, help="Most tokens read at once.  [default: as the run]")
@click.option("--stride", type=int, help="Tokens that windows share.  [default: as the run]")
@click.option("--precision", type=PRECISION, help="Of the computation.  [default: as the run]")
@click.option(
    "--batch-tokens", type=int, default=2048, show_default=True, help="Most tokens at once."
)
@json_option
def command(run: str, data: str, *, as_json: bool, **settings: Any) -> None:
    """Score a saved RUN on the labelled rows of DATA.

    RUN may be any MODEL with a head for labels. Columns, windows and precision are those of the
    run, unless given.
    """
    report = headway.evaluate(run, data, **settings)
    for note in report["notes"]:
        log.info("%s", note)
    if as_json:
        say_json(report)
        return
    from headway.cli.terminal.runs import show_scores

    show_scores(report)
