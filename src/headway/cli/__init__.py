"""The command line: one file a command, imported when it is called.

Results go to stdout, notes and progress to stderr. Exit codes: 0 done, 2 the input is wrong or the
user interrupted, 1 a fault of ours.

    terminal/    what the commands share: exit codes, output, options, tables
"""

from __future__ import annotations

import click

from headway import __version__
from headway.cli.terminal.group import LazyGroup

__all__ = ["COMMANDS", "main"]

COMMANDS: dict[str, str] = {
    "adapt": "headway.cli.adapt:command",
    "evaluate": "headway.cli.evaluate:command",
    "compare": "headway.cli.compare:command",
    "pretrain": "headway.cli.pretrain:command",
    "estimate": "headway.cli.estimate:command",
    "stages": "headway.cli.stages:command",
    "learning-curve": "headway.cli.learning_curve:command",
    "rerun": "headway.cli.rerun:command",
    "predict": "headway.cli.predict:command",
    "convert": "headway.cli.convert:command",
    "export": "headway.cli.export:command",
    "generate": "headway.cli.generate:command",
    "search": "headway.cli.search:command",
    "cluster": "headway.cli.cluster:command",
    "tokenizer": "headway.cli.tokenizer:command",
    "vocabulary": "headway.cli.vocabulary:command",
    "data": "headway.cli.data:command",
    "fetch": "headway.cli.fetch:command",
}
"""Name -> where the command is, imported when it is called."""


@click.group("headway", cls=LazyGroup, places=COMMANDS)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Transfer learning for language: adapt a model to labelled text, measure it, use it.

    A MODEL is a folder, pkg:NAME (a package that carries a model) or hf://org/name.
    """
