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

__all__ = ["compile_pattern", "find_spans", "pattern_of"]

# A backslash with what it escapes, a group's flags, or one character of a set.
_TOKEN = regex.compile(r"\\x\{[0-9A-Fa-f]+\}|\\.|\(\?[a-z-]+[:)]|\[\^?\]?|\]|&&|.", regex.DOTALL)
_OUTSIDE = {
    r"\z": r"\Z",
    r"\Z": r"(?=\n?\Z)",
    r"\h": "[0-9A-Fa-f]",
    r"\H": "[^0-9A-Fa-f]",
    r"\w": r"[\p{L}\p{M}\p{N}\p{Pc}]",
    r"\W": r"[^\p{L}\p{M}\p{N}\p{Pc}]",
}
_INSIDE = {
    r"\h": "0-9A-Fa-f",
    r"\w": r"\p{L}\p{M}\p{N}\p{Pc}",
}


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
    """Compiles the field `pattern`: {"String": ...} or {"Regex": ...}; None for an empty string."""
    pattern = Fields(fields.mapping("pattern"), f"{fields.place}.pattern")
    if "String" in pattern.values:
        literal = pattern.text("String")
        return compile_pattern(regex.escape(literal), pattern.place) if literal else None
    return compile_pattern(pattern.text("Regex"), pattern.place)


def find_spans(pattern: Any, text: str) -> Iterator[tuple[int, int]]:
    """The spans that a compiled pattern matches, from left to right."""
    for match in pattern.finditer(text):
        yield match.span()


def _translate(pattern: str) -> str:
    out: list[str] = []
    depth = 0
    for token in _TOKEN.findall(pattern):
        if token.startswith(r"\x{"):
            out.append(rf"\U{int(token[3:-1], 16):08X}")
        elif token[0] == "[" and token != "[" + "]":
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
