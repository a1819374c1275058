"""`headway convert`: makes a model that reads long texts of one that reads short ones."""

from __future__ import annotations

import click

from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say, say_json
from headway.logs import log


@click.command("convert")
@click.argument("model")
@click.option(
    "--positions", type=int, required=True, help="Longest text, in tokens; a multiple of now."
)
@click.option(
    "--window",
    type=int,
    default=512,
    show_default=True,
    help="Tokens that a token sees around it, half on each side.",
)
@click.option("--out", required=True, metavar="DIR", help="Where the long model is saved.")
@json_option
def command(model: str, *, positions: int, window: int, out: str, as_json: bool) -> None:
    """Make a model that reads long texts.

    MODEL is an encoder with learned positions: BERT, RoBERTa, CamemBERT, XLM-RoBERTa, DistilBERT
    or ELECTRA. It becomes a Longformer, which other programs open too: its positions are copied
    until there are enough, each token sees a window, and the first token of a text sees all. Time
    and memory then grow with a text's length. On texts of half a window it computes what it did
    before; for longer ones, adapt it to your texts.
    """
    from pathlib import Path

    from headway.checkpoints import lengthened, load_checkpoint, saved_checkpoint
    from headway.errors import ConfigError
    from headway.hub import resolve_model

    folder = resolve_model(model)
    if Path(out).resolve() == folder.resolve():
        raise ConfigError("--out is the folder of the MODEL itself", next_step="name another one")
    short = load_checkpoint(folder)
    before = short.family.longest(short.config)
    long = lengthened(short, positions=positions, window=window)
    for note in long.notes:
        log.info("%s", note)
    with saved_checkpoint(long, Path(out)):
        pass
    told = {
        "folder": out,
        "from": {"architecture": short.values["model_type"], "positions": before},
        "to": {"architecture": "longformer", "positions": positions, "window": window},
        "head": long.plan.task if long.plan is not None else None,
        "parameters": sum(parameter.numel() for parameter in long.body.parameters()),
        "notes": long.notes,
    }
    if as_json:
        say_json(told)
        return
    where = click.style(out, bold=True)
    say(f"Saved in {where}: reads texts of {positions:,} tokens, {before:,} before")
    say(f"Next: headway adapt {out} DATA --out runs/long")
