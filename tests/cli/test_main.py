"""The command line as a whole: what it shows, how it ends."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from headway import __version__
from headway.cli import COMMANDS, main
from headway.cli.terminal import output
from headway.errors import DataError
from headway.logs import log

from .calls import error_of, headway, start

HEAVY = ["torch", "pyarrow", "numpy", "rich", "sklearn", "matplotlib", "jinja2", "regex"]


def test_help_lists_every_command_with_its_first_sentence_whole() -> None:
    shown = headway("--help")
    assert shown.exit_code == 0
    lines = dict(
        line.split(None, 1) for line in shown.stdout.split("Commands:")[1].splitlines()[1:]
    )
    assert list(lines) == list(COMMANDS)
    assert not [line for line in lines.values() if line.endswith("...")]


@pytest.mark.parametrize(
    "arguments",
    [[name] for name in COMMANDS]
    + [["tokenizer", name] for name in ("convert", "encode", "decode", "show")]
    + [["data", "inspect"]],
    ids=" ".join,
)
def test_every_command_has_help_that_fits_80_columns(arguments: list[str]) -> None:
    shown = headway(*arguments, "--help")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"Usage: headway {' '.join(arguments)} ")
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_version() -> None:
    assert headway("--version").stdout == f"headway {__version__}\n"


def test_a_module_run_with_python_is_the_command() -> None:
    process = start("--version", stdout=subprocess.PIPE)
    assert process.communicate()[0].decode() == f"headway {__version__}\n"
    assert process.returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom headway.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('HEAVY', *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "HEAVY"


def test_no_command_shows_the_help_as_wrong_usage() -> None:
    shown = headway()
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "Commands:" in shown.stderr and "error" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adpt"], "no command 'adpt' (did you mean 'adapt'?). Allowed: adapt, evaluate, compare"),
        (["xyz"], "no command 'xyz'. Allowed: adapt,"),
        (["tokenizer", "encod"], "no command 'encod' (did you mean 'encode'?). Allowed: convert,"),
        (["data", "xyz"], "no command 'xyz'. Allowed: cache, inspect, tokenize, why."),
        (["adapt", "--epoch", "3"], "No such option '--epoch'. (Did you mean one of: '--epochs',"),
        (["adapt", "m"], "Missing argument 'DATA'. Next: headway adapt --help."),
        (["adapt", "m", "d"], "Missing option '--out'."),
        (["adapt", "m", "d", "--out", "o", "--epochs", "x"], "'x' is not a valid integer"),
        (["adapt", "m", "d", "--out", "o", "--head", "x"], "not one of 'linear', 'mlp', 'lstm'"),
        (["adapt", "m", "d", "--out", "o", "--seeds", "0"], "0 is not in the range x>=1"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_wrong_usage_says_what_is_allowed(arguments: list[str], said: str) -> None:
    assert said in error_of(headway(*arguments))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Puts a function in a command's place."""

    def put(function):  # type: ignore[no-untyped-def]
        module = sys.modules["headway.cli.fetch"]
        monkeypatch.setattr(module, "command", click.command("fetch")(function))

    import headway.cli.fetch  # noqa: F401 - so that there is a place

    return put


def test_what_is_wrong_with_the_input_is_one_message(command) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise DataError("no \x1b[31mfile\x00", allowed="a file", next_step="find one")

    command(fails)
    assert error_of(headway("fetch")) == "no \ufffd[31mfile\ufffd. Allowed: a file. Next: find one."


def test_a_fault_of_ours_shows_its_traceback_and_asks_for_a_report(command) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise ZeroDivisionError("ours")

    command(fails)
    result = headway("fetch")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr and "ZeroDivisionError: ours" in result.stderr
    assert "fault of Headway" in result.stderr.splitlines()[-1]


def test_ctrl_c_is_one_line(command) -> None:  # type: ignore[no-untyped-def]
    def fails() -> None:
        raise KeyboardInterrupt

    command(fails)
    assert error_of(headway("fetch")) == "interrupted"


def test_notes_of_the_library_go_to_stderr_while_a_command_runs(command) -> None:  # type: ignore[no-untyped-def]
    def notes() -> None:
        log.info("a note with \x07 in it")
        log.debug("not this")

    command(notes)
    before = (list(log.handlers), log.level)
    result = headway("fetch")
    assert (result.stdout, result.stderr) == ("", "a note with \ufffd in it\n")
    assert (list(log.handlers), log.level) == before
    assert log.level != logging.DEBUG


def test_characters_that_a_terminal_lacks_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    output.tolerant_streams()
    output.say("é ☃")
    output.say_json({"text": "é"})
    output.flush()
    assert written.getvalue() == b'\xe9 \\u2603\n{\n  "text": "\xc3\xa9"\n}\n'


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    process = start("predict", tmp_path, b"caf\xe9", stderr=subprocess.PIPE)
    said = process.communicate()[1].decode()
    assert process.returncode == 2
    assert said.startswith("headway: error: argument 3, 'caf\\udce9', is not UTF-8 text")
    assert said.count("\n") == 1


def test_a_reader_that_has_seen_enough_is_no_error(tokens: str) -> None:
    lines = b"word1 word2\n" * 50_000
    (read, write) = os.pipe()
    process = start(
        "tokenizer", "encode", tokens, stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(lines[:1200])
    process.stdin.flush()
    os.close(read)
    with suppress(BrokenPipeError):
        process.stdin.write(lines)
    with suppress(BrokenPipeError):
        process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_below_stdout_is_said(tokens: str) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("tokenizer", "encode", tokens, "word1", stdout=full, stderr=subprocess.PIPE)
        said = process.communicate()[1].decode()
    assert process.returncode == 2
    assert said == ("headway: error: standard output cannot be written: No space left on device.\n")


@pytest.fixture
def tokens(model: str) -> str:
    """A tokenizer's file."""
    return f"{model}/vocab.txt"


def test_main_can_be_called_like_a_function() -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
