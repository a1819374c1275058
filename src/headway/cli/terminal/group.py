"""A group of commands that are imported when they are asked for."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import click

from headway.cli.terminal.failures import exit_code, readable_arguments
from headway.cli.terminal.output import notes_on_stderr, tolerant_streams
from headway.errors import nearest
from headway.imports import imported

__all__ = ["Group", "LazyGroup"]


class Group(click.Group):
    """A group that says which commands there are when it is given another."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that the first argument names."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            hint = nearest(args[0], known)
            problem = f"no command {args[0]!r}" + (f" ({hint})" if hint else "")
            raise click.UsageError(f"{problem}. Allowed: {', '.join(known)}.", ctx)
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    """The whole command line.

    Args:
        places: name of a command -> `module:attribute`.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `places`."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command of that name, if there is one."""
        if cmd_name not in self.places:
            return None
        module, _, attribute = self.places[cmd_name].partition(":")
        command: click.Command = getattr(imported(module), attribute)
        return command

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **more: Any
    ) -> Any:
        """Runs a command line and exits with its code."""
        given = list(sys.argv[1:] if args is None else args)
        prog_name = prog_name or "headway"
        tolerant_streams()

        def work() -> object:
            readable_arguments(given)
            said = {"obj": shlex.join([prog_name, *given]), **more, "standalone_mode": False}
            return super(LazyGroup, self).main(given, prog_name, **said)

        with notes_on_stderr(), _one_voice():
            code = exit_code(work)
        sys.exit(code)


@contextmanager
def _one_voice() -> Iterator[None]:
    """Of several processes that torchrun started, the first one alone prints results."""
    if os.environ.get("RANK", "0") == "0":
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield
