"""Normalizers: what a tokenizer.json does to a text before it is cut.

A normalizer is a function from AlignedText to AlignedText. Each builder here reads the fields of
one kind and returns that function; NORMALIZERS holds them all.

Source of the format and of every behaviour: https://github.com/huggingface/tokenizers
(tokenizers/src/normalizers). Two things are done better than there, and are tested as such: what
Precompiled deletes does not shift the alignments after it, and Replace may insert a text at an
empty match at the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import regex

from headway.errors import TokenizerError, nearest
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.byte_alphabet import BYTE_TABLE
from headway.tokenizer.charsmap import Charsmap
from headway.tokenizer.checks import Fields
from headway.tokenizer.known_fields import refuse_unknown_fields
from headway.tokenizer.normal_forms import Form, normal_form
from headway.tokenizer.patterns import NEWER_THAN_16, find_spans, pattern_of
from headway.tokenizer.unicode_tables import (
    COMBINING_MARKS,
    CONTROL,
    LOWERCASE_PAIRS,
    NONSPACING_MARKS,
    WHITESPACE,
    character_set,
    pattern_class,
)

__all__ = ["NORMALIZERS", "Normalizer", "build_normalizer"]

Normalizer = Callable[[AlignedText], AlignedText]


class _Letters(dict[int, str]):
    """A table for str.translate that is filled on demand, one character at a time."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self.change = change
        self.one_to_one = True

    def __missing__(self, code: int) -> str:
        changed = self[code] = self.change(chr(code))
        self.one_to_one &= len(changed) == 1
        return changed


_NEW_CAPITALS = {
    chr(code): chr(code + distance)
    for first, last, distance in LOWERCASE_PAIRS
    for code in range(first, last + 1)
}
LOWERCASE = _Letters(lambda c: _NEW_CAPITALS.get(c) or c.lower())
_SPACE = character_set(WHITESPACE)


def _map_characters(text: AlignedText, table: _Letters) -> AlignedText:
    """Replaces each character by what the table says, keeping the alignments."""
    changed = text.text.translate(table)
    if changed == text.text:
        return text
    if table.one_to_one:
        return text.with_text(changed)
    return text.expand([table[ord(character)] for character in text.text])


def _lowercase(text: AlignedText) -> AlignedText:
    if text.text.isascii():
        return text.with_text(text.text.lower())
    return _map_characters(text, LOWERCASE)


def _strip(text: AlignedText, left: bool, right: bool) -> AlignedText:
    start, end = 0, len(text.text)
    if left:
        while start < end and text.text[start] in _SPACE:
            start += 1
    if right:
        while end > start and text.text[end - 1] in _SPACE:
            end -= 1
    return text.slice(start, end)


def _build_sequence(fields: Fields) -> Normalizer:
    parts = [
        build_normalizer(part, f"{fields.place}.normalizers[{i}]")
        for i, part in enumerate(fields.items("normalizers"))
    ]

    def sequence(text: AlignedText) -> AlignedText:
        for part in parts:
            text = part(text)
        return text

    return sequence


def _form_builder(form: Form) -> Callable[[Fields], Normalizer]:
    return lambda fields: lambda text: normal_form(form, text)


def _build_lowercase(fields: Fields) -> Normalizer:
    return _lowercase


def _build_strip_accents(fields: Fields) -> Normalizer:
    marks = character_set(COMBINING_MARKS)
    table = _Letters(lambda c: "" if c in marks else c)
    return lambda text: text if text.text.isascii() else _map_characters(text, table)


def _build_strip(fields: Fields) -> Normalizer:
    left, right = fields.flag("strip_left"), fields.flag("strip_right")
    return lambda text: _strip(text, left, right)


CHINESE = (
    "4e00-9fff 3400-4dbf 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf f900-faff 2f800-2fa1f"
)


def _build_bert(fields: Fields) -> Normalizer:
    """Cleaning, spaces around Chinese characters, accents and case, as BERT does (Devlin 2018)."""
    lowercase = fields.flag("lowercase")
    strip_accents = fields.optional_flag("strip_accents")
    steps: list[Normalizer] = []
    if fields.flag("clean_text"):
        steps.append(_clean_text)
    if fields.flag("handle_chinese_chars"):
        steps.append(_space_chinese)
    if lowercase if strip_accents is None else strip_accents:
        steps.append(_strip_nonspacing)
    if lowercase:
        steps.append(_lowercase)

    def bert(text: AlignedText) -> AlignedText:
        for step in steps:
            text = step(text)
        return text

    return bert


_CONTROL_SET = character_set(CONTROL)
_CLEAN = _Letters(lambda c: "" if c in _CONTROL_SET else " " if c in _SPACE else c)
_NEEDS_CLEANING = regex.compile(
    f"[{pattern_class(CONTROL)}]|(?! )[{pattern_class(WHITESPACE)}]", regex.VERSION0
)
_IS_CHINESE = regex.compile(f"[{pattern_class(CHINESE)}]")
_NONSPACING_SET = character_set(NONSPACING_MARKS)
_WITHOUT_NONSPACING = _Letters(lambda c: "" if c in _NONSPACING_SET else c)


def _clean_text(text: AlignedText) -> AlignedText:
    return _map_characters(text, _CLEAN) if _NEEDS_CLEANING.search(text.text) else text


def _space_chinese(text: AlignedText) -> AlignedText:
    if text.text.isascii() or not _IS_CHINESE.search(text.text):
        return text
    return text.expand([f" {c} " if _IS_CHINESE.match(c) else c for c in text.text])


def _strip_nonspacing(text: AlignedText) -> AlignedText:
    if text.text.isascii():
        return text
    return _map_characters(normal_form("NFD", text), _WITHOUT_NONSPACING)


def _build_nmt(fields: Fields) -> Normalizer:
    """The cleaning of sentencepiece's nmt_* rules."""
    deleted = character_set("1-8 b e-1f 7f 8f 9f")
    spaces = character_set("9 a c d 1680 200b-200f 2028 2029 2581 feff fffd")
    table = _Letters(lambda c: "" if c in deleted else " " if c in spaces else c)
    return lambda text: _map_characters(text, table)


def _build_precompiled(fields: Fields) -> Normalizer:
    charsmap = Charsmap.from_base64(fields.text("precompiled_charsmap"), fields.place)
    return charsmap.normalize


def _build_replace(fields: Fields) -> Normalizer:
    pattern, content = pattern_of(fields), fields.text("content")

    def replace(text: AlignedText) -> AlignedText:
        spans = list(find_spans(pattern, text.text, NEWER_THAN_16)) if text.text else []
        return text.substitute(spans, content) if spans else text

    return replace


def _build_prepend(fields: Fields) -> Normalizer:
    content = fields.text("prepend")
    return lambda text: text.prepend(content)


def _build_byte_level(fields: Fields) -> Normalizer:
    return lambda text: text.expand([BYTE_TABLE[ord(c)] for c in text.text])


NORMALIZERS: dict[str, Callable[[Fields], Normalizer]] = {
    "BertNormalizer": _build_bert,
    "ByteLevel": _build_byte_level,
    "Lowercase": _build_lowercase,
    "NFC": _form_builder("NFC"),
    "NFD": _form_builder("NFD"),
    "NFKC": _form_builder("NFKC"),
    "NFKD": _form_builder("NFKD"),
    "Nmt": _build_nmt,
    "Precompiled": _build_precompiled,
    "Prepend": _build_prepend,
    "Replace": _build_replace,
    "Sequence": _build_sequence,
    "Strip": _build_strip,
    "StripAccents": _build_strip_accents,
}


def build_normalizer(values: Any, place: str = "normalizer") -> Normalizer:
    """The normalizer that a JSON object describes.

    >>> build_normalizer({"type": "Lowercase"})(AlignedText("ÀB")).text
    'àb'
    """
    fields = Fields(values, place)
    kind = fields.text("type")
    if kind not in NORMALIZERS:
        raise TokenizerError(
            f"{place} is of the unknown kind {kind!r} {nearest(kind, NORMALIZERS)}".rstrip(),
            allowed=", ".join(NORMALIZERS),
        )
    refuse_unknown_fields(fields, "normalizer")
    return NORMALIZERS[kind](fields)
