"""Decoders: from tokens back to text.

A decoder is a function from a list of strings to a list of strings, which are joined in the end.
Each builder here reads the fields of one kind and returns that function; DECODERS holds them all.

Source of the format and of every behaviour: https://github.com/huggingface/tokenizers
(tokenizers/src/decoders).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from headway.errors import TokenizerError, nearest
from headway.tokenizer.byte_alphabet import BYTE_VALUES
from headway.tokenizer.checks import Fields
from headway.tokenizer.known_fields import refuse_unknown_fields
from headway.tokenizer.patterns import pattern_of
from headway.tokenizer.pretokenizers import metaspace_scheme

__all__ = ["DECODERS", "Decoder", "build_decoder", "byte_of", "clean_up"]

Decoder = Callable[[list[str]], list[str]]

_CLEANUP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" do not", " don't"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def clean_up(text: str) -> str:
    """The text without the spaces that English does not write before marks and short forms."""
    for written, meant in _CLEANUP:
        text = text.replace(written, meant)
    return text


def _build_wordpiece(fields: Fields) -> Decoder:
    prefix, cleanup = fields.text("prefix"), fields.flag("cleanup")

    def wordpiece(tokens: list[str]) -> list[str]:
        words = [
            token
            if i == 0
            else token.removeprefix(prefix)
            if token.startswith(prefix)
            else f" {token}"
            for i, token in enumerate(tokens)
        ]
        return [clean_up(word) for word in words] if cleanup else words

    return wordpiece


def _build_byte_level(fields: Fields) -> Decoder:
    def byte_level(tokens: list[str]) -> list[str]:
        data = bytearray()
        for token in tokens:
            try:
                data += bytes([BYTE_VALUES[character] for character in token])
            except KeyError:  # an added token that is not written in the alphabet of bytes
                data += token.encode()
        return [data.decode(errors="replace")]

    return byte_level


def _build_metaspace(fields: Fields) -> Decoder:
    mark, scheme = fields.character("replacement"), metaspace_scheme(fields)

    def metaspace(tokens: list[str]) -> list[str]:
        return [
            token.replace(mark, "" if i == 0 and scheme != "never" else " ")
            for i, token in enumerate(tokens)
        ]

    return metaspace


def _build_bpe(fields: Fields) -> Decoder:
    suffix = fields.text("suffix")

    def bpe(tokens: list[str]) -> list[str]:
        last = len(tokens) - 1
        return [token.replace(suffix, "" if i == last else " ") for i, token in enumerate(tokens)]

    return bpe


def _build_byte_fallback(fields: Fields) -> Decoder:
    return _byte_fallback


def byte_of(token: str) -> int | None:
    """The byte that a token like <0xC3> stands for."""
    if len(token) == 6 and token.isascii() and token.startswith("<0x") and token.endswith(">"):
        digits = token[3:5].removeprefix("+")  # the peer's number parser allows a sign
        if digits and all(c in "0123456789abcdefABCDEF" for c in digits):
            return int(digits, 16)
    return None


def _byte_fallback(tokens: list[str]) -> list[str]:
    """Runs of byte tokens become text; each byte of a run that is no UTF-8 becomes U+FFFD."""
    out: list[str] = []
    for is_byte, run in groupby(tokens, key=lambda token: byte_of(token) is not None):
        if not is_byte:
            out += run
            continue
        data = bytes(byte for token in run if (byte := byte_of(token)) is not None)
        try:
            out.append(data.decode())
        except UnicodeDecodeError:
            out += "\ufffd" * len(data)
    return out


def _build_fuse(fields: Fields) -> Decoder:
    return lambda tokens: ["".join(tokens)]


def _build_strip(fields: Fields) -> Decoder:
    content = fields.character("content")
    start, stop = fields.count("start"), fields.count("stop")

    def strip(token: str) -> str:
        left = 0
        while left < min(start, len(token)) and token[left] == content:
            left += 1
        right = len(token)
        while right > max(left, len(token) - stop) and token[right - 1] == content:
            right -= 1
        return token[left:right]

    return lambda tokens: [strip(token) for token in tokens]


def _build_replace(fields: Fields) -> Decoder:
    pattern, content = pattern_of(fields), fields.text("content")
    return lambda tokens: [pattern.sub(lambda _: content, token) for token in tokens]


def _build_ctc(fields: Fields) -> Decoder:
    """Repetitions and padding out, word delimiters to spaces (Graves et al. 2006)."""
    pad, delimiter = fields.text("pad_token"), fields.text("word_delimiter_token")
    cleanup = fields.flag("cleanup")

    def ctc(tokens: list[str]) -> list[str]:
        words = [token.replace(pad, "") for token, _ in groupby(tokens)]
        if cleanup:
            words = [clean_up(word).replace(delimiter, " ") for word in words]
        return [word for word in words if word]

    return ctc


def _build_sequence(fields: Fields) -> Decoder:
    steps = [
        build_decoder(step, f"{fields.place}.decoders[{i}]")
        for i, step in enumerate(fields.items("decoders"))
    ]

    def sequence(tokens: list[str]) -> list[str]:
        for step in steps:
            tokens = step(tokens)
        return tokens

    return sequence


DECODERS: dict[str, Callable[[Fields], Decoder]] = {
    "BPEDecoder": _build_bpe,
    "ByteFallback": _build_byte_fallback,
    "ByteLevel": _build_byte_level,
    "CTC": _build_ctc,
    "Fuse": _build_fuse,
    "Metaspace": _build_metaspace,
    "Replace": _build_replace,
    "Sequence": _build_sequence,
    "Strip": _build_strip,
    "WordPiece": _build_wordpiece,
}


def build_decoder(values: Any, place: str = "decoder") -> Decoder:
    """The decoder that a JSON object describes.

    >>> build_decoder({"type": "WordPiece", "prefix": "##", "cleanup": True})(["un", "##do", "."])
    ['un', 'do', '.']
    """
    fields = Fields(values, place)
    kind = fields.text("type")
    if kind not in DECODERS:
        raise TokenizerError(
            f"{place} is of the unknown kind {kind!r} {nearest(kind, DECODERS)}".rstrip(),
            allowed=", ".join(DECODERS),
        )
    refuse_unknown_fields(fields, "decoder")
    return DECODERS[kind](fields)
