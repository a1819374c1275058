"""Decoding token by token: text as soon as no later token can change it.

Each decoder of decoders.py has a stream here that gives the same tokens, in parts: a decoder that
makes one token of many (Fuse, ByteLevel) gives that one's text bit by bit. A stream reads one part
at a time, and holds back only what may still change: bytes of a character that is not whole, a run
of byte tokens until it is known to be UTF-8, what Strip may cut off, a token that the next decoder
of a Sequence has to see as a whole.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headway.tokenizer.byte_alphabet import BYTE_VALUES
from headway.tokenizer.checks import Fields
from headway.tokenizer.decoders import byte_of, clean_up
from headway.tokenizer.patterns import pattern_of
from headway.tokenizer.pretokenizers import metaspace_scheme

__all__ = ["STREAMS", "Part", "Stream", "build_stream", "joined_by_spaces", "stream_of", "whole"]

Part = tuple[str, bool]
"""Some text of a token, and whether the token ends with it."""

Stream = Callable[[Iterator[Part]], Iterator[Part]]
"""What a decoder makes of tokens; of an empty iterator, what it makes of no tokens."""


def stream_of(tokens: Iterable[str], stream: Stream) -> Iterator[str]:
    """The text that a stream makes of tokens, in pieces that are not empty; nothing of no tokens.

    >>> fields = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always"}
    >>> list(stream_of(["_good", "_day", ""], build_stream(fields)))
    ['good', ' day']
    """
    tokens = iter(tokens)
    for first in tokens:
        yield from (text for text, _ in stream(_parts(first, tokens)) if text)


def _parts(first: str, rest: Iterator[str]) -> Iterator[Part]:
    yield first, True
    for token in rest:
        yield token, True


def whole(parts: Iterator[Part]) -> Iterator[str]:
    """The tokens that some parts make."""
    held: list[str] = []
    for text, ends in parts:
        held.append(text)
        if ends:
            yield "".join(held)
            held = []


def joined_by_spaces(parts: Iterator[Part]) -> Iterator[Part]:
    """What is made of tokens where there is no decoder."""
    for i, token in enumerate(whole(parts)):
        yield f" {token}" if i else token, True


def _wordpiece(fields: Fields) -> Stream:
    prefix, cleanup = fields.text("prefix"), fields.flag("cleanup")

    def wordpiece(parts: Iterator[Part]) -> Iterator[Part]:
        for i, token in enumerate(whole(parts)):
            word = token
            if i:
                word = token.removeprefix(prefix) if token.startswith(prefix) else f" {token}"
            yield clean_up(word) if cleanup else word, True

    return wordpiece


def _byte_level(fields: Fields) -> Stream:
    def byte_level(parts: Iterator[Part]) -> Iterator[Part]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for token in whole(parts):
            try:
                data = bytes([BYTE_VALUES[character] for character in token])
            except KeyError:
                data = token.encode()
            yield decoder.decode(data), False
        yield decoder.decode(b"", final=True), True

    return byte_level


def _metaspace(fields: Fields) -> Stream:
    mark, scheme = fields.character("replacement"), metaspace_scheme(fields)

    def metaspace(parts: Iterator[Part]) -> Iterator[Part]:
        space = " " if scheme == "never" else ""
        for text, ends in parts:
            yield text.replace(mark, space), ends
            if ends:
                space = " "

    return metaspace


def _bpe(fields: Fields) -> Stream:
    suffix = fields.text("suffix")

    def bpe(parts: Iterator[Part]) -> Iterator[Part]:
        held: str | None = None  # of the token before: the last one's suffixes become nothing
        for token in whole(parts):
            if held is not None:
                yield held.replace(suffix, " "), True
            before = token.partition(suffix)[0] if suffix else ""
            held = token[len(before) :]
            yield before, False
        if held is not None:
            yield held.replace(suffix, ""), True

    return bpe


def _byte_fallback(fields: Fields) -> Stream:
    def byte_fallback(parts: Iterator[Part]) -> Iterator[Part]:
        run = _Run()
        for token in whole(parts):
            byte = byte_of(token)
            if byte is not None:
                yield from run.add(byte)
                continue
            yield from run.end()
            yield token, True
        yield from run.end()

    return byte_fallback


class _Run:
    """A run of byte tokens: one token of text if all of it is UTF-8, or U+FFFD for each byte."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._decoder: Any = codecs.getincrementaldecoder("utf-8")()
        self._text: list[str] = []
        self._count = 0
        self._broken = False

    def add(self, byte: int) -> list[Part]:
        self._count += 1
        if self._broken:
            return [("\ufffd", True)]
        try:
            self._text.append(self._decoder.decode(bytes([byte])))
        except UnicodeDecodeError:
            self._broken = True
            return [("\ufffd", True)] * self._count
        return []

    def end(self) -> list[Part]:
        count, broken = self._count, self._broken
        text = "".join(self._text)
        incomplete = not broken and self._decoder.getstate()[0] != b""
        self._start()
        if incomplete:
            return [("\ufffd", True)] * count
        return [(text, True)] if count and not broken else []


def _fuse(fields: Fields) -> Stream:
    def fuse(parts: Iterator[Part]) -> Iterator[Part]:
        for text, _ in parts:
            yield text, False
        yield "", True

    return fuse


def _strip(fields: Fields) -> Stream:
    content = fields.character("content")
    start, stop = fields.count("start"), fields.count("stop")

    def strip(parts: Iterator[Part]) -> Iterator[Part]:
        left, held = start, ""  # how many more may go at the left; what may go at the right
        for text, ends in parts:
            kept = text
            while left and kept.startswith(content):
                kept, left = kept[1:], left - 1
            if kept:
                left = 0
            kept = held + kept
            right = len(kept)
            while right > max(0, len(kept) - stop) and kept[right - 1] == content:
                right -= 1
            held = kept[right:]
            yield kept[:right], ends
            if ends:
                left, held = start, ""

    return strip


def _replace(fields: Fields) -> Stream:
    pattern, content = pattern_of(fields), fields.text("content")
    literal: str = fields.mapping("pattern").get("String", "")

    def replace(parts: Iterator[Part]) -> Iterator[Part]:
        for token in whole(parts):
            yield pattern.sub(lambda _: content, token), True

    def replace_literal(parts: Iterator[Part]) -> Iterator[Part]:
        held = ""  # the beginning of what is replaced
        for text, ends in parts:
            *done, held = (held + text).split(literal)
            kept = len(held) if ends else len(held) - _begun(held, literal)
            yield "".join(f"{each}{content}" for each in done) + held[:kept], ends
            held = held[kept:]

    return replace_literal if literal else replace


def _begun(text: str, pattern: str) -> int:
    """How many characters at the end of a text begin a pattern that is not in it."""
    longest = min(len(text), len(pattern) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(pattern[:size])), 0)


def _ctc(fields: Fields) -> Stream:
    pad, delimiter = fields.text("pad_token"), fields.text("word_delimiter_token")
    cleanup = fields.flag("cleanup")

    def ctc(parts: Iterator[Part]) -> Iterator[Part]:
        last: str | None = None
        for token in whole(parts):
            if token == last:
                continue
            last = token
            word = token.replace(pad, "")
            if cleanup:
                word = clean_up(word).replace(delimiter, " ")
            if word:
                yield word, True

    return ctc


def _sequence(fields: Fields) -> Stream:
    steps = [
        build_stream(step, f"{fields.place}.decoders[{i}]")
        for i, step in enumerate(fields.items("decoders"))
    ]

    def sequence(parts: Iterator[Part]) -> Iterator[Part]:
        for step in steps:
            parts = step(parts)
        return parts

    return sequence


STREAMS: dict[str, Callable[[Fields], Stream]] = {
    "BPEDecoder": _bpe,
    "ByteFallback": _byte_fallback,
    "ByteLevel": _byte_level,
    "CTC": _ctc,
    "Fuse": _fuse,
    "Metaspace": _metaspace,
    "Replace": _replace,
    "Sequence": _sequence,
    "Strip": _strip,
    "WordPiece": _wordpiece,
}


def build_stream(values: Any, place: str = "decoder") -> Stream:
    """The stream of the decoder that a JSON object describes, which `build_decoder` has checked."""
    fields = Fields(values, place)
    return STREAMS[fields.text("type")](fields)
