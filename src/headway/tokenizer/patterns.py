r"""Regular expressions of tokenizer.json files, compiled for Python's `regex` package.

The files are written for Oniguruma (https://github.com/kkos/oniguruma/blob/master/doc/RE), whose
syntax is that of `regex` but for a few points, rewritten here: `^` and `$` match at every line,
`(?m)` lets the dot match newlines, `\h` is a hexadecimal digit, `\x{1F600}` is a code point,
`\w` knows neither joiners, and `\z` is the very end of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import regex

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.unicode_tables import (
    UNICODE_17_AND_LATER,
    WORDS_OF_UNICODE_18,
    pattern_class,
)

__all__ = [
    "NEWER_THAN_16",
    "NEWER_THAN_17",
    "as_unassigned",
    "compile_pattern",
    "find_spans",
    "pattern_of",
]

# A backslash with what it escapes, a group's flags, or one character of a set.
_TOKEN = regex.compile(
    r"\\x\{[0-9A-Fa-f]+\}|\\.|\(\?[a-z-]+[:)]|\[:\^?[a-z]+:\]|\[\^?\]?|\]|&&|.", regex.DOTALL
)
_WORD = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"
_OUTSIDE = {
    r"\h": "[0-9A-Fa-f]",
    r"\H": "[^0-9A-Fa-f]",
    r"\N": "[^\n]",
    r"\O": r"[\s\S]",
    r"\w": f"[{_WORD}²³¹¼½¾]",  # these six are words there, though only outside of sets
    r"\W": f"[^{_WORD}²³¹¼½¾]",
    r"\z": r"\Z",
    r"\Z": r"(?=\n?\Z)",
}
_INSIDE = {
    r"\h": "0-9A-Fa-f",
    r"\w": _WORD,
    r"\W": f"[^{_WORD}]",
    "[:alnum:]": r"\p{Alphabetic}\p{Nd}",
    "[:punct:]": r"\p{P}\p{S}",
    "[:word:]": _WORD,
}


NEWER_THAN_16 = regex.compile(f"[{pattern_class(UNICODE_17_AND_LATER)}]")
NEWER_THAN_17 = regex.compile(f"[{pattern_class(WORDS_OF_UNICODE_18)}]")
_UNASSIGNED = "\u0378"


def compile_pattern(pattern: str, place: str) -> Any:
    """Compiles a pattern of a file; `place` says where it stands, for the message.

    >>> compile_pattern(r" ?\\p{L}+", "pre_tokenizer").findall("Hello wörld")
    ['Hello', ' wörld']
    """
    try:
        return regex.compile(_translate(pattern), regex.MULTILINE | regex.VERSION1)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        raise TokenizerError(
            f"{place} has the regular expression {pattern!r}, which cannot be used: {error}",
            next_step="write it without what the message names",
        ) from error


def pattern_of(fields: Fields) -> Any:
    """Compiles the field `pattern`: {"String": ...} or {"Regex": ...}."""
    pattern = Fields(fields.mapping("pattern"), f"{fields.place}.pattern")
    if "String" in pattern.values:
        return regex.compile(regex.escape(pattern.text("String")))
    return compile_pattern(pattern.text("Regex"), pattern.place)


def as_unassigned(text: str, newer: Any) -> str:
    """The text with the characters that a program does not know yet as an unassigned one.

    Matching against it gives the spans that the program finds, however new `regex` is.
    """
    return text if text.isascii() else newer.sub(_UNASSIGNED, text)


def find_spans(pattern: Any, text: str, newer: Any) -> Iterator[tuple[int, int]]:
    """The spans that a compiled pattern matches, from left to right.

    Args:
        pattern: the pattern.
        text: where to look.
        newer: what the program that is followed does not know, or None for a pattern that names
            every character it matches.
    """
    for match in pattern.finditer(as_unassigned(text, newer) if newer else text):
        yield match.span()


def _translate(pattern: str) -> str:
    out: list[str] = []
    depth = 0
    for token in _TOKEN.findall(pattern):
        if token.startswith(r"\x{"):
            out.append(rf"\U{int(token[3:-1], 16):08X}")
        elif token[0] == "[" and not token.startswith("[:"):
            depth += 1
            out.append(token)
        elif token == "]" and depth:
            depth -= 1
            out.append(token)
        elif token.startswith("(?") and not depth:
            out.append(token.replace("m", "s"))
        else:
            out.append((_INSIDE if depth else _OUTSIDE).get(token, token))
    return "".join(out)
