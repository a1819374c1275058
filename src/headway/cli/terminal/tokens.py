"""Tokens of a text on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from headway.cli.terminal.output import say, show, table
from headway.errors import InputError
from headway.hub import resolve_model
from headway.reports.plain import printable
from headway.reports.words import plural
from headway.tokenizer import Encoding, Tokenizer

__all__ = ["as_document", "numbers_in", "show_tokens", "tokenizer_of"]

COLOURS = ("cyan", "magenta", "yellow", "green", "blue")
"""Neighbouring tokens have different ones."""


def tokenizer_of(name: str) -> Tokenizer:
    """The tokenizer in a file or folder, or of a model by name.

    Raises:
        InputError: there is none.
    """
    if name.startswith(("pkg:", "hf:")):
        return Tokenizer.load(resolve_model(name))
    return Tokenizer.load(Path(name))


def numbers_in(line: str) -> list[int]:
    """The ids in a line, with spaces or commas between.

    Raises:
        InputError: something else is between them.
    """
    found = []
    for word in line.replace(",", " ").split():
        try:
            found.append(int(word))
        except ValueError:
            raise InputError(f"{word!r:.40} is no id", allowed="whole numbers") from None
    return found


def as_document(encoding: Encoding) -> dict[str, Any]:
    """An encoding as JSON holds it."""
    return {
        "ids": encoding.ids,
        "tokens": encoding.tokens,
        "offsets": encoding.offsets,
        "word_ids": encoding.word_ids,
    }


def show_tokens(text: str, pair: str | None, encoding: Encoding) -> None:
    """The text with its tokens in colours, then a row a token."""
    special = sum(encoding.special_mask)
    say(f"{plural(len(encoding), 'token')}, {special} of them special")
    for number, one in enumerate([text] if pair is None else [text, pair]):
        say(_coloured(one, number, encoding))
    rows = table(["token", "id", "characters", "text"], right=(1, 2))
    sources = {0: text, 1: pair or ""}
    for place, token in enumerate(encoding.tokens):
        start, end = encoding.span(place)
        which = encoding.sequence_ids[place]
        if which is None:
            cells = ["", ""]
        else:
            cells = [f"{start}-{end}", repr(sources[which][start:end])]
        style = "dim" if which is None else COLOURS[place % len(COLOURS)]
        cells = [str(encoding.ids[place]), *cells]
        rows.add_row(Text(printable(token), style=style), *(Text(cell) for cell in cells))
    show(rows)


def _coloured(text: str, number: int, encoding: Encoding) -> str:
    """The text; each token's characters in its colour, others plain."""
    parts, done = [], 0
    for place, which in enumerate(encoding.sequence_ids):
        start, end = encoding.span(place)
        if which != number or start < done:
            continue
        parts.append(printable(text[done:start]))
        colour = COLOURS[place % len(COLOURS)]
        parts.append(click.style(printable(text[start:end]), fg=colour, underline=True))
        done = end
    return "".join([*parts, printable(text[done:])])
