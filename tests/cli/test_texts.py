from __future__ import annotations

import io
import subprocess
import sys

import click
import pytest

from headway.cli.terminal.texts import texts_or_lines
from headway.errors import ConfigError, DataError


class Stream(io.TextIOWrapper):
    """Standard input that is a terminal, or is not."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="ascii")
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def context():  # type: ignore[no-untyped-def]
    with click.Context(click.Command("some"), info_name="headway some"):
        yield


def test_texts_are_taken_as_they_are_whatever_stands_on_standard_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(b"no\n"))
    assert list(texts_or_lines(["a", "-"])) == ["a", "-"]


def test_lines_end_with_line_feeds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    data = "a b\r\n\n\x0b c\u2028d\x85\re\nlast".encode()
    monkeypatch.setattr(sys, "stdin", Stream(data))
    assert list(texts_or_lines([])) == ["a b", "", "\x0b c\u2028d\x85\re", "last"]


def test_a_dash_reads_lines_from_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stream("é\n".encode("latin-1"), terminal=True))
    assert list(texts_or_lines(["-"], encoding="latin-1")) == ["é"]


@pytest.mark.parametrize("stream", [Stream(b"", terminal=True), None], ids=["terminal", "closed"])
def test_nothing_given_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, stream: Stream | None
) -> None:
    monkeypatch.setattr(sys, "stdin", stream)
    with pytest.raises(click.UsageError, match=r"no text was given.*name a --file, or pipe lines"):
        texts_or_lines([], otherwise=", name a --file")


def test_bytes_of_another_encoding_are_named_with_their_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(b"fine\ncaf\xe9\n"))
    with pytest.raises(DataError, match=r"line 2: byte 3 is 0xe9, which is not utf-8.*--encoding"):
        list(texts_or_lines([]))


def test_an_unknown_encoding_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stream(b"a\n"))
    with pytest.raises(ConfigError, match="no text encoding 'utf-88'"):
        list(texts_or_lines([], encoding="utf-88"))


def test_standard_input_that_is_closed_is_no_traceback(model: str) -> None:
    code = 'exec "$@" <&-'
    process = subprocess.run(
        ["sh", "-c", code, "sh", sys.executable, "-m", "headway", "tokenizer", "show", model],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr.startswith("headway: error: no text was given")
