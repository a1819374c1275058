"""`headway stages`: pre-training, second pre-training and adaptation from one file."""

from __future__ import annotations

import click

from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say, say_error, say_json, show, table


@click.command("stages")
@click.argument("file")
@click.option("--out", required=True, metavar="DIR", help="Where the stages' folders are saved.")
@json_option
@click.pass_obj
def command(typed: str, /, file: str, *, out: str, as_json: bool) -> int:
    """Run the training stages that FILE lists.

    Each stage goes on with the model of the one before. FILE is TOML:

    \b
      [[stage]]
      name = "articles"
      model = "bert"
      texts = ["articles.txt"]
      max_steps = 2000

    \b
      [[stage]]
      name = "tickets"
      data = "tickets.csv"
      task = "text-classification"

    A stage with texts is a pre-training, one with data an adaptation; all other keys are settings
    of these commands, with underscores. The same command goes on where it was stopped.
    """
    from headway.stages import run_stages

    result = run_stages(file, out, command=typed)
    if as_json:
        say_json(result.report or {"state": "interrupted", "folder": str(result.folder)})
    if result.interrupted:
        say_error(f"{result.stopped}; the same command goes on from there")
        return 2
    if as_json:
        return 0
    from headway.reports.stages import forgotten_rows, stage_rows

    rows = table(["stage", "what", "before", "after", "gain", "time"], right=(2, 3, 4, 5))
    for row in stage_rows(result.report):
        rows.add_row(*row)
    show(rows)
    if forgotten := forgotten_rows(result.report):
        lost = table(["stage", "texts of", "their loss"], right=(2,))
        for row in forgotten:
            lost.add_row(*row)
        show(lost)
    say()
    say(f"Saved in {click.style(out, bold=True)}: stages.html; the last model is {result.folder}.")
    return 0
