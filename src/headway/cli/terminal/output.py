"""What goes to stdout (results) and to stderr (notes, errors)."""

from __future__ import annotations

import io
import logging
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from headway.errors import OutputError
from headway.logs import log

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "NobodyReads",
    "flush",
    "has_colours",
    "notes_on_stderr",
    "say",
    "say_error",
    "say_json",
    "say_piece",
    "say_prose",
    "show",
    "table",
    "tolerant_streams",
    "width",
]


class NobodyReads(Exception):  # noqa: N818 - whoever read our output, such as `head`, has enough
    """Stdout leads to a pipe that was closed at its other end, which is no error."""


def say(text: str | bytes = "") -> None:
    """One line, or a few, on stdout.

    Raises:
        NobodyReads: the pipe was closed.
        OutputError: stdout takes nothing more, as on a full disk.
    """
    with _writing():
        click.echo(text)


def say_piece(text: str) -> None:
    """Some text on stdout at once, without a line's end; raises what `say` does."""
    with _writing():
        click.echo(text, nl=False)
        sys.stdout.flush()


def say_prose(text: str, *, indent: str = "") -> None:
    """A sentence or two on stdout, in lines as wide as the terminal, or 80 columns."""
    width = shutil.get_terminal_size().columns
    say(click.wrap_text(text, width, initial_indent=indent, subsequent_indent=" " * len(indent)))


def say_json(value: Any) -> None:
    """One JSON document on stdout, in UTF-8 whatever the terminal's encoding."""
    from headway.reports.plain import to_json

    say(to_json(value).rstrip("\n").encode())


def show(made: Table | Text) -> None:
    """A table below a blank line, or styled text, on stdout, as wide as the terminal."""
    console = _console()
    with console.capture() as captured:
        console.print(made, overflow="fold")
    text = "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())
    with _writing():
        click.echo(text, color=console.is_terminal or None)


def has_colours() -> bool:
    """Whether stdout shows colours: no file, no pipe, and nobody has set NO_COLOR."""
    console = _console()
    return console.color_system is not None and not console.no_color


def width() -> int:
    """The columns of the terminal, or 80."""
    return _console().width


def _console() -> Console:
    from rich.console import Console

    return Console()


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
    """Writes out what stdout still holds back; raises what `say` does."""
    with _writing():
        sys.stdout.flush()


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


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise NobodyReads from None
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None
