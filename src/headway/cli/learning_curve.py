"""`headway learning-curve`: what labels are worth."""

from __future__ import annotations

from typing import Any

import click

from headway.cli.terminal.options import PRECISION, column_options, file_options, json_option
from headway.cli.terminal.output import say, say_json, say_prose, show, table


@click.command("learning-curve")
@click.argument("model")
@click.argument("data")
@click.option(
    "--labels",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Rows of each class; may be repeated.  [default: 8, 16, 64]",
)
@click.option("--seeds", type=click.IntRange(min=1), default=3, show_default=True, metavar="N")
@click.option(
    "--way",
    "ways",
    multiple=True,
    type=click.Choice(["this model", "plain fine-tuning", "from scratch"]),
    help="May be repeated; TF-IDF comes with the first.  [default: all]",
)
@click.option("--out", metavar="DIR", help="Where the page and the numbers are saved.")
@click.option(
    "--test", metavar="DATA", help="Rows that judge.  [default: the test split, or a cut]"
)
@column_options
@file_options
@click.option("--precision", type=PRECISION, default="auto", show_default=True)
@json_option
@click.pass_obj
def command(
    typed: str,
    /,
    model: str,
    data: str,
    *,
    labels: tuple[int, ...],
    ways: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Show what few labels reach, and how many it saves.

    MODEL is adapted with so many rows of each class of DATA, in several ways on the same rows: as
    `headway adapt` does it, fine-tuned plainly, from random weights, and TF-IDF with logistic
    regression.
    """
    import headway

    given: dict[str, Any] = {"labels": labels} if labels else {}
    if ways:
        given["ways"] = ways
    found = headway.learning_curve(model, data, command=typed, **given, **settings)
    if as_json:
        say_json(found)
        return
    from headway.reports.learning_curve import counts, curve_rows, saved_lines

    names = ["way", *(f"{number} labels" for number in counts(found))]
    rows = table(names, right=tuple(range(1, len(names))))
    for row in curve_rows(found):
        rows.add_row(*row)
    show(rows)
    say()
    for line in saved_lines(found):
        say_prose(line)
    if settings["out"] is not None:
        say()
        say(f"Saved in {click.style(settings['out'], bold=True)}: learning-curve.html and .json.")
