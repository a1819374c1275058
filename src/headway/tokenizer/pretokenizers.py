r"""Pre-tokenizers: cut a normalized text into the pieces that the model sees one at a time.

A pre-tokenizer is a function from one AlignedText to a list of them. Each builder here reads the
fields of one kind and returns that function; PRETOKENIZERS holds them all.

Source of the format and of every behaviour: https://github.com/huggingface/tokenizers
(tokenizers/src/pre_tokenizers). A character that the peer does not know yet is matched as an
unassigned one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import regex

from headway.errors import TokenizerError, nearest
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.byte_alphabet import BYTE_TABLE
from headway.tokenizer.checks import Fields
from headway.tokenizer.known_fields import refuse_unknown_fields
from headway.tokenizer.patterns import NEWER_THAN_16, NEWER_THAN_17, find_spans, pattern_of
from headway.tokenizer.scripts import script_runs
from headway.tokenizer.unicode_tables import NUMERIC, PUNCTUATION, WHITESPACE, pattern_class

__all__ = ["BEHAVIORS", "PRETOKENIZERS", "PreTokenizer", "build_pretokenizer", "metaspace_scheme"]

PreTokenizer = Callable[[AlignedText], list[AlignedText]]

_Part = tuple[int, int, bool]  # start, end, whether it is a match

BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")

_SPACE_CLASS = pattern_class(WHITESPACE)
_PUNCTUATION_CLASS = pattern_class(PUNCTUATION)
_SPACES = regex.compile(f"[{_SPACE_CLASS}]")
_PUNCTUATION = regex.compile(f"[{_PUNCTUATION_CLASS}]")
_DIGITS = regex.compile(f"[{pattern_class(NUMERIC)}]")
_BERT_WORDS = regex.compile(
    f"[{_PUNCTUATION_CLASS}]|[^{_SPACE_CLASS}{_PUNCTUATION_CLASS}]+", regex.VERSION0
)
_WORDS = regex.compile(r"\w+|[^\w\s]+")
_GPT2_WORDS = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


def _parts(pattern: Any, text: str, newer: Any) -> Iterable[_Part]:
    """The whole text as parts that match the pattern and parts between them."""
    place = 0
    for start, end in find_spans(pattern, text, newer):
        if place != start:
            yield place, start, False
        yield start, end, True
        place = end
    if place != len(text):
        yield place, len(text), False


def _arrange(parts: Iterable[_Part], behavior: str) -> list[tuple[int, int]]:
    """The spans to keep, for one of BEHAVIORS."""
    if behavior == "Removed":
        return [(start, end) for start, end, match in parts if not match]
    if behavior == "Isolated":
        return [(start, end) for start, end, _ in parts]
    if behavior == "MergedWithNext":
        mirrored = [(-end, -start, match) for start, end, match in reversed([*parts])]
        return [(-end, -start) for start, end in reversed(_merge(mirrored, contiguous=False))]
    return _merge(parts, contiguous=behavior == "Contiguous")


def _merge(parts: Iterable[_Part], *, contiguous: bool) -> list[tuple[int, int]]:
    """Joins a match to what stands before it, or (contiguous) neighbours that are alike."""
    spans: list[tuple[int, int]] = []
    was_match = False
    for start, end, match in parts:
        joins = match == was_match if contiguous else match and not was_match
        if joins and spans:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
        was_match = match
    return spans


def _cut(text: AlignedText, spans: Iterable[tuple[int, int]]) -> list[AlignedText]:
    return [text.slice(start, end) for start, end in spans if start != end]


def _split_by(
    pattern: Any, behavior: str, *, invert: bool = False, newer: Any = None
) -> PreTokenizer:
    def split(text: AlignedText) -> list[AlignedText]:
        parts = _parts(pattern, text.text, newer)
        if invert:
            parts = [(start, end, not match) for start, end, match in parts]
        return _cut(text, _arrange(parts, behavior))

    return split


def _matches_of(pattern: Any, newer: Any = None) -> PreTokenizer:
    return lambda text: [text.slice(*span) for span in find_spans(pattern, text.text, newer)]


def _build_sequence(fields: Fields) -> PreTokenizer:
    parts = [
        build_pretokenizer(part, f"{fields.place}.pretokenizers[{i}]")
        for i, part in enumerate(fields.items("pretokenizers"))
    ]

    def sequence(text: AlignedText) -> list[AlignedText]:
        pieces = [text]
        for part in parts:
            pieces = [after for before in pieces for after in part(before) if after.text]
        return pieces

    return sequence


def _build_bert(fields: Fields) -> PreTokenizer:
    return _matches_of(_BERT_WORDS)


def _build_whitespace(fields: Fields) -> PreTokenizer:
    return _matches_of(_WORDS, NEWER_THAN_17)


def _build_whitespace_split(fields: Fields) -> PreTokenizer:
    return _split_by(_SPACES, "Removed")


def _build_punctuation(fields: Fields) -> PreTokenizer:
    return _split_by(_PUNCTUATION, fields.choice("behavior", BEHAVIORS, "Isolated"))


def _build_digits(fields: Fields) -> PreTokenizer:
    return _split_by(_DIGITS, "Isolated" if fields.flag("individual_digits") else "Contiguous")


def _build_delimiter(fields: Fields) -> PreTokenizer:
    return _split_by(regex.compile(regex.escape(fields.character("delimiter"))), "Removed")


def _build_split(fields: Fields) -> PreTokenizer:
    pattern = pattern_of(fields)
    behavior, invert = fields.choice("behavior", BEHAVIORS), fields.flag("invert")
    return _split_by(pattern, behavior, invert=invert, newer=NEWER_THAN_16)


def _build_byte_level(fields: Fields) -> PreTokenizer:
    """GPT-2's: words with the space before them, written in the alphabet of bytes."""
    prefix_space = fields.flag("add_prefix_space")
    by_words = fields.flag("use_regex", True)
    words = _split_by(_GPT2_WORDS, "Isolated", newer=NEWER_THAN_16)

    def byte_level(text: AlignedText) -> list[AlignedText]:
        if prefix_space and not text.text.startswith(" "):
            text = text.prepend(" ")
        return [_as_bytes(piece) for piece in (words(text) if by_words else [text])]

    return byte_level


def _as_bytes(text: AlignedText) -> AlignedText:
    written = text.text.translate(BYTE_TABLE)
    if text.text.isascii():
        return text.with_text(written)
    return text.expand([BYTE_TABLE[ord(character)] for character in text.text])


def metaspace_scheme(fields: Fields) -> str:
    """Where a Metaspace puts its mark before a text: always, first or never."""
    scheme = fields.choice("prepend_scheme", ("always", "first", "never"), "always")
    if fields.optional_flag("add_prefix_space") is False:
        if "prepend_scheme" in fields.values and scheme != "never":
            raise TokenizerError(
                f"{fields.place} has add_prefix_space false and prepend_scheme {scheme!r}",
                next_step="set prepend_scheme to 'never', or remove add_prefix_space",
            )
        return "never"
    return scheme


def _build_metaspace(fields: Fields) -> PreTokenizer:
    """SentencePiece's: every space becomes a visible mark that begins a piece."""
    mark, scheme = fields.character("replacement"), metaspace_scheme(fields)
    split = _split_by(regex.compile(regex.escape(mark)), "MergedWithNext")
    cuts = fields.flag("split", True)

    def metaspace(text: AlignedText) -> list[AlignedText]:
        text = text.with_text(text.text.replace(" ", mark))
        if not text.text.startswith(mark) and (
            scheme == "always" or (scheme == "first" and text.origin == 0)
        ):
            text = text.prepend(mark)
        return split(text) if cuts else [text]

    return metaspace


def _build_unicode_scripts(fields: Fields) -> PreTokenizer:
    return lambda text: _cut(text, script_runs(text.text))


def _build_fixed_length(fields: Fields) -> PreTokenizer:
    length = fields.count("length", 5)
    if not length:
        raise TokenizerError(f"{fields.place}.length is 0", allowed="a whole number >= 1")

    def fixed_length(text: AlignedText) -> list[AlignedText]:
        return [text.slice(i, i + length) for i in range(0, len(text.text), length)]

    return fixed_length


PRETOKENIZERS: dict[str, Callable[[Fields], PreTokenizer]] = {
    "BertPreTokenizer": _build_bert,
    "ByteLevel": _build_byte_level,
    "CharDelimiterSplit": _build_delimiter,
    "Digits": _build_digits,
    "FixedLength": _build_fixed_length,
    "Metaspace": _build_metaspace,
    "Punctuation": _build_punctuation,
    "Sequence": _build_sequence,
    "Split": _build_split,
    "UnicodeScripts": _build_unicode_scripts,
    "Whitespace": _build_whitespace,
    "WhitespaceSplit": _build_whitespace_split,
}


def build_pretokenizer(values: Any, place: str = "pre_tokenizer") -> PreTokenizer:
    """The pre-tokenizer that a JSON object describes.

    >>> cut = build_pretokenizer({"type": "BertPreTokenizer"})
    >>> [piece.text for piece in cut(AlignedText("it's so"))]
    ['it', "'", 's', 'so']
    """
    fields = Fields(values, place)
    kind = fields.text("type")
    if kind not in PRETOKENIZERS:
        raise TokenizerError(
            f"{place} is of the unknown kind {kind!r} {nearest(kind, PRETOKENIZERS)}".rstrip(),
            allowed=", ".join(PRETOKENIZERS),
        )
    refuse_unknown_fields(fields, "pre_tokenizer")
    return PRETOKENIZERS[kind](fields)
