"""`headway export`: a model in the format of another program."""

from __future__ import annotations

import dataclasses

import click

import headway
from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say, say_json


@click.command("export")
@click.argument("model")
@click.option("--to", "format", required=True, help="The format: onnx, jax.")
@click.option("--out", required=True, help="Folder for the files; new, empty or an older export.")
@json_option
def command(model: str, *, format: str, out: str, as_json: bool) -> None:
    """Write a model in the format of another program.

    MODEL may be a run's folder. Files take batches of any size and length, and what they give is
    compared with the model before they are kept.
    """
    made = headway.export(model, format, out)
    if as_json:
        say_json({**dataclasses.asdict(made), "folder": str(made.folder)})
        return
    say(f"Saved in {click.style(str(made.folder), bold=True)}, beside config.json:")
    for part, inputs in made.inputs.items():
        say(f"  {part}: {', '.join(inputs)} -> {', '.join(made.outputs[part])}")
    say("Inputs are int64 [batch, length]; attention_mask is 1 at tokens and 0 at padding.")
    say(f"Largest difference to the model on random texts: {made.difference:.1e}.")
