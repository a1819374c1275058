"""Words of a text, for metrics that compare words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from headway.metrics.inputs import choose

__all__ = ["SPACELESS", "TOKENIZERS", "Tokenizer", "tokenizer_of"]

Tokenizer: TypeAlias = Callable[[str], list[str]]

# Scripts written without spaces, for a character class of the regex package.
SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
ASCII_WORD = re.compile(r"[a-z0-9]+")
WORD = rf"[{SPACELESS}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]+"


def ascii_words(text: str) -> list[str]:
    """Lower-cased runs of a to z and 0 to 9, as in Google's rouge-score: nothing of other scripts.

    >>> ascii_words("Élan vital, 2nd")
    ['lan', 'vital', '2nd']
    """
    return ASCII_WORD.findall(text.lower())


def words(text: str) -> list[str]:
    """Lower-cased runs of letters and digits; each character where a script has no spaces.

    >>> words("Élan vital, 2nd 日本")
    ['élan', 'vital', '2nd', '日', '本']
    """
    if text.isascii():
        return ascii_words(text)
    import regex

    return regex.findall(WORD, text.lower(), regex.V1)


TOKENIZERS: dict[str, Tokenizer] = {"words": words, "ascii": ascii_words}


def tokenizer_of(value: str | Tokenizer) -> Tokenizer:
    """The function behind a name of TOKENIZERS, or the function that was handed in."""
    return TOKENIZERS[choose("tokenizer", value, TOKENIZERS)] if isinstance(value, str) else value
