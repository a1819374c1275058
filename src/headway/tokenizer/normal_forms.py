"""Unicode normal forms NFC, NFD, NFKC, NFKD with alignments, fixed at Unicode 9.

Characters that came later are left alone, as the `tokenizers` package leaves them. The algorithm
is that of the Unicode Standard, chapter 3.11 (https://www.unicode.org/reports/tr15/): decompose,
sort runs of combining marks by class, compose from left to right.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Literal

import regex

from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.unicode_tables import UNICODE_10_AND_LATER, character_set, pattern_class

__all__ = ["Form", "normal_form"]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

_Edit = tuple[str, int]

_LATER = character_set(UNICODE_10_AND_LATER)
_HAS_LATER = regex.compile(f"[{pattern_class(UNICODE_10_AND_LATER)}]")


def normal_form(form: Form, text: AlignedText) -> AlignedText:
    """The text in one of the four normal forms.

    >>> normal_form("NFKC", AlignedText("ﬁne")).text
    'fine'
    """
    later = not text.text.isascii() and _HAS_LATER.search(text.text)
    if not later and unicodedata.is_normalized(form, text.text):
        return text
    edits = _decompose("NFKD" if "K" in form else "NFD", text.text)
    return text.transform(_compose(edits) if form.endswith("C") else edits)


@functools.lru_cache(maxsize=65536)
def _decomposition(form: Form, character: str) -> tuple[tuple[str, int, int], ...]:
    """(part, change, combining class) of each part of a character."""
    if character in _LATER:
        return ((character, 0, 0),)
    parts = unicodedata.normalize(form, character)
    return tuple((part, int(i > 0), unicodedata.combining(part)) for i, part in enumerate(parts))


def _decompose(form: Form, text: str) -> list[_Edit]:
    edits: list[_Edit] = []
    marks: list[tuple[int, str, int]] = []
    for character in text:
        for part, change, combining in _decomposition(form, character):
            if combining:
                marks.append((combining, part, change))
                continue
            if marks:
                edits += _sorted_marks(marks)
                marks = []
            edits.append((part, change))
    return edits + _sorted_marks(marks)


def _sorted_marks(marks: list[tuple[int, str, int]]) -> list[_Edit]:
    return [(part, change) for _, part, change in sorted(marks, key=lambda mark: mark[0])]


@functools.lru_cache(maxsize=65536)
def _composition(first: str, second: str) -> str | None:
    """The character composed of two, where there is one."""
    if first in _LATER or second in _LATER:
        return None
    pair = unicodedata.normalize("NFC", first + second)
    return pair if len(pair) == 1 and pair not in _LATER else None


def _combining(character: str) -> int:
    return 0 if character in _LATER else unicodedata.combining(character)


def _compose(edits: list[_Edit]) -> list[_Edit]:
    """Joins each starter with the marks after it that are not blocked."""
    out: list[_Edit] = []
    starter = -1
    last_class = 0
    for character, change in edits:
        combining = _combining(character)
        if starter >= 0 and (len(out) == starter + 1 or 0 < last_class < combining):
            whole = _composition(out[starter][0], character)
            if whole is not None:
                out[starter] = (whole, out[starter][1] + change - 1)
                continue
        if combining == 0:
            starter = len(out)
        last_class = combining
        out.append((character, change))
    return out
