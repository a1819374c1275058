"""A text and its tokens on a terminal: first the text in colours, then a row a token."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from headway.cli.terminal.output import has_colours, say, show, table, width
from headway.reports.words import plural
from headway.tokenizer import ByteOffsets, Encoding, Tokenizer
from headway.tokenizer.alignment import Alignment

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["show_tokens", "visible"]

COLOURS = tuple(f"color(16) on color({number})" for number in (81, 212, 221, 113))
"""Black on light blue, pink, yellow and green, in turn for neighbouring tokens. These numbers mean
the same in every theme of a terminal; the colours with names need not be legible together."""
UNKNOWN, SPECIAL, UNCOVERED = "bold color(231) on color(160)", "dim", "dim"
BETWEEN, INSIDE = "│", "┊"
"""Where there are no colours, between tokens and between those of one word."""
GOES_ON, NOTHING = "…", "∅"
"""Stand for the later tokens of one character, and for a token that covers none."""
MARK_OF_SPACE = "\u2581"

_SEEN = {" ": "·", "\n": "↵", "\r": "␍", "\t": "→", "\x7f": "␡"}
_JOINERS = "\u200c\u200d"


def visible(text: str) -> str:
    r"""The text with a mark for each character that has no shape of its own on a terminal.

    >>> visible("a b\tc\n"), visible("\0\xa0\u200e"), ascii(visible("\u0301"))
    ('a·b→c↵', '␀‹A0›‹200E›', "'\\u25cc\\u0301'")
    """
    shown = "".join(_visible(character, at_start=not i) for i, character in enumerate(text))
    # A mark would sit on what stands before it, which is another token's.
    return f"◌{shown}" if text and unicodedata.category(text[0])[0] == "M" else shown


def _visible(character: str, *, at_start: bool) -> str:
    code = ord(character)
    if character in _SEEN:
        return _SEEN[character]
    if code < 0x20:
        return chr(0x2400 + code)
    joins = character in _JOINERS and not at_start
    if joins or unicodedata.category(character)[0] not in "CZ":
        return character
    return f"‹{code:X}›"


def show_tokens(tokenizer: Tokenizer, texts: Sequence[str], encoding: Encoding) -> None:
    """A text, or a pair of them, as its tokens cut it, then a row a token."""
    tokens = [*_tokens(tokenizer, texts, encoding)]
    kinds = {"special": SPECIAL, "unknown": UNKNOWN}
    counts = [
        f"{number} {name}"
        for name, style in kinds.items()
        if (number := sum(token.style == style for token in tokens))
    ]
    say(", ".join([plural(len(tokens), "token"), *counts]))
    say()
    for line in _lines(tokens, texts, encoding):
        show(line)
    show(_rows(tokens, texts, encoding))


class _Token(NamedTuple):
    """A token as it is drawn: its style, and whether it goes on with the word before it."""

    written: str
    style: str
    goes_on: bool
    normalized: str | None


def _tokens(tokenizer: Tokenizer, texts: Sequence[str], encoding: Encoding) -> Iterator[_Token]:
    normalized = [_Normalized(tokenizer, text) for text in texts]
    roles = {id: role for role, id in tokenizer.special_ids.items()}
    place_of_word: tuple[int | None, int | None] = None, None
    for place, (id, written) in enumerate(zip(encoding.ids, encoding.tokens, strict=True)):
        which, (start, end) = encoding.sequence_ids[place], encoding.span(place)
        before, place_of_word = place_of_word, (which, encoding.word_ids[place])
        if which is None:
            yield _Token(written, SPECIAL, False, None)
            continue
        source = texts[which][start:end]
        style = COLOURS[place % len(COLOURS)]
        if id in roles:  # a token of the text, such as [MASK], is special; [UNK] may be either
            unknown = id == tokenizer.special_ids.get("unk") and source != tokenizer.token(id)
            style = UNKNOWN if unknown else SPECIAL
        yield _Token(written, style, before == place_of_word, normalized[which].over(start, end))


class _Normalized:
    """What normalization makes of a text, part by part."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self.source, made = text, tokenizer.normalize(text)
        self.text, count = made.text, len(made.text)
        spans = [made.span(i, i + 1) for i in range(count)]
        self.places = Alignment([*range(count)], spans, [None] * count)

    def over(self, start: int, end: int) -> str | None:
        """What some characters became, or None where they stayed what they were."""
        found = self.places.tokens_of(start, end)
        became = self.text[found.start : found.stop]
        plain = became.replace(MARK_OF_SPACE, " ").strip()
        return None if plain == self.source[start:end].strip() else became


class _Piece(NamedTuple):
    """A part of the drawn text."""

    text: str
    style: str
    separator: str
    ends_line: bool


def _lines(tokens: list[_Token], texts: Sequence[str], encoding: Encoding) -> Iterator[Text]:
    """The text in lines as wide as the terminal, cut between tokens; a pair's second anew."""
    coloured, room = has_colours(), width()
    line, used, whose = Text(), 0, None
    for which, piece in _pieces(tokens, texts, encoding, coloured=coloured):
        shown = Text()
        if not coloured and used:
            shown.append(piece.separator)
        shown.append(piece.text, piece.style if coloured else "")
        anew = which is not None and whose is not None and which != whose
        if used and (anew or used + shown.cell_len > room):
            yield line
            line, used = Text(), 0
            shown = Text(piece.text, piece.style if coloured else "")
        whose = whose if which is None else which
        line.append_text(shown)
        used += shown.cell_len
        if piece.ends_line:
            yield line
            line, used = Text(), 0
    if used:
        yield line


def _pieces(
    tokens: list[_Token], texts: Sequence[str], encoding: Encoding, *, coloured: bool
) -> Iterator[tuple[int | None, _Piece]]:
    """Tokens and the text between them, each with the number of its text."""

    def gap(which: int, start: int, end: int) -> Iterator[tuple[int, _Piece]]:
        text = texts[which][start:end]
        if text:
            shown = visible(text) if coloured else visible(text).replace("·", " ")
            yield which, _Piece(shown, UNCOVERED, BETWEEN, "\n" in text)

    done = [0] * len(texts)
    last = {which: place for place, which in enumerate(encoding.sequence_ids)}
    for place, token in enumerate(tokens):
        which, (start, end) = encoding.sequence_ids[place], encoding.span(place)
        if which is None:
            yield None, _Piece(visible(token.written), token.style, BETWEEN, False)
            continue
        yield from gap(which, done[which], start)
        new = texts[which][max(start, done[which]) : end]
        style = f"{token.style} underline" if token.goes_on else token.style
        separator = INSIDE if token.goes_on else BETWEEN
        shown = visible(new) if new else GOES_ON if start < end else NOTHING
        yield which, _Piece(shown, style, separator, "\n" in new)
        done[which] = max(end, done[which])
        if place == last[which]:
            yield from gap(which, done[which], len(texts[which]))
    for which in range(len(texts)):
        if which not in last:
            yield from gap(which, 0, len(texts[which]))


def _rows(tokens: list[_Token], texts: Sequence[str], encoding: Encoding) -> Table:
    rows = table(["token", "id", "characters", "word", "text", "bytes"], right=(1, 2, 3, 5))
    offsets = [ByteOffsets(text) for text in texts]
    for place, token in enumerate(tokens):
        which, (start, end) = encoding.sequence_ids[place], encoding.span(place)
        cells = ["", "", "", ""]
        if which is not None:
            first, stop = offsets[which].span(start, end)
            text = visible(texts[which][start:end])
            if token.normalized is not None:
                text += f" ⇒ {visible(token.normalized)}"
            word = encoding.word_ids[place]
            cells = [f"{start}-{end}", "" if word is None else str(word), text, f"{first}-{stop}"]
        written = Text.assemble((visible(token.written), token.style))
        rows.add_row(written, Text(str(encoding.ids[place])), *map(Text, cells))
    return rows
