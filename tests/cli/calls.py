"""Calling commands, in this process and in one of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from click.testing import CliRunner, Result

from headway.cli import main


def headway(*arguments: str, input: str | bytes | None = None, color: bool = False) -> Result:
    """Runs a command line in this process."""
    return CliRunner().invoke(main, list(arguments), input=input, color=color)


def document(result: Result) -> Any:
    """The one JSON document that a command printed."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def start(*arguments: str | bytes, **streams: Any) -> subprocess.Popen[bytes]:
    """Starts a command line in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "headway", *arguments], **streams)


def error_of(result: Result) -> str:
    """The message of a command that was given wrong input, which is all that it ended with."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    *_, last = result.stderr.rstrip("\n").split("\n")
    assert last.startswith("headway: error: "), result.stderr
    assert result.stderr.count("headway: error:") == 1
    assert "Traceback" not in result.stderr
    return last.removeprefix("headway: error: ")
