"""What goes to stdout (results) and to stderr (notes, errors)."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from headway.errors import OutputError
from headway.logs import log

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "flush",
    "notes_on_stderr",
    "say",
    "say_error",
    "say_json",
    "show",
    "table",
    "tolerant_streams",
]


def say(text: str | bytes = "") -> None:
    """One line, or a few, on stdout.

    Raises:
        OutputError: stdout takes nothing more, as on a full disk.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _cannot(error) from error


def say_json(value: Any) -> None:
    """One JSON document on stdout, in UTF-8 whatever the terminal's encoding."""
    from headway.reports.plain import to_json

    say(to_json(value).rstrip("\n").encode())


def show(table: Table) -> None:
    """A table on stdout, as wide as the terminal; 80 columns where there is none."""
    from rich.console import Console

    console = Console()
    with console.capture() as captured:
        console.print(table)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def table(headers: Sequence[str], *, right: Collection[int] = ()) -> Table:
    """An empty table like those of the reports; columns numbered in `right` are set to the right.

    Cells are `rich.text.Text`, since rich reads [brackets] in plain strings as markup.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for number, header in enumerate(headers):
        made.add_column(Text(header), justify="right" if number in right else "left")
    return made


def say_error(message: str) -> None:
    """The one message of a command that failed, on stderr."""
    from headway.reports.plain import printable

    prefix = click.style("headway: error:", fg="red", bold=True)
    with suppress(OSError):
        click.echo(f"{prefix} {printable(message)}", err=True)


def flush() -> None:
    """Writes out what stdout still holds back.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _cannot(error) from error


def tolerant_streams() -> None:
    """Characters that a terminal cannot show are written as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Notes(logging.Handler):
    """What the library says while it works, one short line each."""

    def emit(self, record: logging.LogRecord) -> None:
        from headway.reports.plain import printable

        with suppress(OSError):
            click.secho(printable(record.getMessage()), err=True, dim=True)


@contextmanager
def notes_on_stderr() -> Iterator[None]:
    """Shows the library's notes while the context is open."""
    notes, level = _Notes(logging.INFO), log.level
    log.addHandler(notes)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(notes)
        log.setLevel(level)


def _cannot(error: OSError) -> OutputError:
    return OutputError(f"standard output cannot be written: {error.strerror or error}")
