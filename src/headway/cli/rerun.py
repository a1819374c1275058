"""`headway rerun`: a saved run once more, compared with what it was."""

from __future__ import annotations

import click

import headway
from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say, say_error, say_json, say_prose


@click.command("rerun")
@click.argument("run")
@click.option("--out", required=True, metavar="DIR", help="Where the new run is saved.")
@json_option
@click.pass_obj
def command(typed: str, /, run: str, out: str, *, as_json: bool) -> int:
    """Adapt once more as a saved run was.

    RUN is a run's folder or its run.json, which names model, rows and settings. The measures are
    compared: on the same machine, with the same versions, each is equal.
    """
    again = headway.rerun(run, out=out, command=typed)
    report = again.result.report
    if as_json:
        say_json({"report": report, "changed": again.changed, "compared": again.known})
    elif report:
        from headway.cli.terminal.runs import show_result

        show_result(report, str(again.result.folder))
        say()
        if not again.known:
            say_prose("The run was not measured, so there is nothing to compare.")
        elif not again.changed:
            say_prose("Every measure is what it was.")
        for name, (before, now) in again.changed.items():
            say_prose(f"{name} was {before!s:.60} and is {now!s:.60}.")
    if again.result.interrupted:
        say_error(f"{again.result.stopped}; the model as it was then is saved in {out}")
        return 2
    return 0
