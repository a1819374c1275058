"""How a command can end, and what is said of it: 0 done, 2 wrong input, 1 a fault of ours."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from headway.cli.terminal.output import NobodyReads, flush, say_error
from headway.errors import InputError

__all__ = ["exit_code", "readable_arguments"]

DONE, FAULT, WRONG_INPUT = 0, 1, 2


def exit_code(work: Callable[[], object]) -> int:
    """Does the work, says what went wrong, and gives the exit code; never raises.

    The work may return a code itself; anything that is no number means that it is done.
    """
    try:
        code = work()
        flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_INPUT
    except click.UsageError as error:
        hint = f" Next: {error.ctx.command_path} --help." if error.ctx is not None else ""
        say_error(error.format_message().rstrip(".") + "." + hint)
        return WRONG_INPUT
    except click.ClickException as error:
        say_error(error.format_message())
        return WRONG_INPUT
    except InputError as error:
        say_error(str(error))
        _forget_stdout()
        return WRONG_INPUT
    except (KeyboardInterrupt, click.Abort):
        say_error("interrupted")
        return WRONG_INPUT
    except NobodyReads:
        _forget_stdout()
        return DONE
    except Exception:
        traceback.print_exc()
        say_error(
            "this is a fault of Headway, not of yours. Please report it with the lines above and "
            "what `headway --version` says"
        )
        return FAULT
    return code if isinstance(code, int) else DONE


def readable_arguments(arguments: Sequence[str]) -> None:
    """Refuses bytes that are no text, before they get into a file or a message.

    Raises:
        InputError: an argument that is not UTF-8.
    """
    for number, argument in enumerate(arguments, start=1):
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"argument {number}, {argument!a:.80}, is not UTF-8 text: character {error.start}",
                next_step="write it in UTF-8; texts in other encodings go into a file, with "
                "--encoding",
            ) from None


def _forget_stdout() -> None:
    """Leaves nothing for Python to flush at exit into a place that takes nothing."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
