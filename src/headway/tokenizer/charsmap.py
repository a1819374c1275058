"""SentencePiece's precompiled normalization rules: a double-array trie and its replacements.

Layout (https://github.com/google/sentencepiece, src/normalizer.cc): the trie's size in bytes as
a little-endian 32-bit number, the trie's units of 32 bits, then the replacements as UTF-8
strings that each end with NUL. The trie (https://github.com/s-yata/darts-clone) leads from the
bytes of a string to the place of its replacement.

Two programs apply these rules differently: sentencepiece replaces the longest match at each
place; the `tokenizers` package tries whole grapheme clusters of less than 6 bytes first, takes
the *shortest* match as the replacement of all of it, and else goes character by character. Both
are here, since files of both are read: `normalize` and `normalize_prefixes`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import struct

import regex

from headway.errors import TokenizerError
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.patterns import NEWER_THAN_17, as_unassigned

__all__ = ["Charsmap"]

_Group = tuple[str, int]
_GRAPHEMES = regex.compile(r"\X")


class Charsmap:
    """Replacement rules read from a precompiled table."""

    def __init__(self, blob: bytes, place: str) -> None:
        size = struct.unpack_from("<I", blob)[0] if len(blob) >= 4 else 0
        if size < 4 or size % 4 or 4 + size > len(blob):
            raise TokenizerError(
                f"{place} has normalization rules of {len(blob)} bytes that do not hold their trie",
                next_step="get the file again: it is damaged",
            )
        self.units = struct.unpack_from(f"<{size // 4}I", blob, 4)
        self.replacements = blob[4 + size :]
        self._graphemes: dict[str, list[_Group]] = {}
        self._characters: dict[str, str | None] = {}

    @classmethod
    def from_base64(cls, text: str, place: str) -> Charsmap:
        """Reads the table as tokenizer.json writes it."""
        try:
            return cls(base64.b64decode(text, validate=True), place)
        except (binascii.Error, ValueError) as error:
            raise TokenizerError(
                f"{place}.precompiled_charsmap is not base64: {error}",
                next_step="get the file again: it is damaged",
            ) from error

    def normalize(self, text: AlignedText) -> AlignedText:
        """Applies the rules as the `tokenizers` package does: grapheme cluster by cluster."""
        if self._unchanged.issuperset(text.text):
            return text
        groups: list[_Group] = []
        place = 0
        for match in _GRAPHEMES.finditer(as_unassigned(text.text, NEWER_THAN_17)):
            grapheme = text.text[place : match.end()]
            place = match.end()
            known = self._graphemes.get(grapheme)
            if known is None:
                known = self._grapheme(grapheme)
                if len(self._graphemes) < 100_000:
                    self._graphemes[grapheme] = known
            groups += known
        return text.regroup(groups)

    def longest(self, data: bytes, start: int) -> tuple[str, int]:
        """The replacement of the longest match at a byte, and the match's length (0 for none)."""
        found = self._matches(data, start)
        return (self._replacement(found[-1][1]), found[-1][0]) if found else ("", 0)

    @functools.cached_property
    def _unchanged(self) -> set[str]:
        """ASCII that no rule changes; each of these characters is a cluster by itself."""
        return {c for c in map(chr, range(128)) if c != "\r" and self._shortest(c) is None}

    def _grapheme(self, grapheme: str) -> list[_Group]:
        if len(grapheme.encode()) < 6:
            whole = self._shortest(grapheme)
            if whole is not None:
                return [(whole, len(grapheme))]
        return [
            (character if replaced is None else replaced, 1)
            for character in grapheme
            for replaced in [self._shortest(character)]
        ]

    def _shortest(self, text: str) -> str | None:
        if text not in self._characters:
            found = self._matches(text.encode(), 0)
            replaced = self._replacement(found[0][1]) if found else None
            if len(self._characters) > 100_000:
                return replaced
            self._characters[text] = replaced
        return self._characters[text]

    def _matches(self, data: bytes, start: int) -> list[tuple[int, int]]:
        """(length, value) of every key that begins at a byte, shortest first."""
        units, found = self.units, []
        place = _offset(units[0])
        for i in range(start, len(data)):
            byte = data[i]
            place ^= byte
            if byte == 0 or place >= len(units) or units[place] & 0x800000FF != byte:
                break
            has_leaf = units[place] >> 8 & 1
            place ^= _offset(units[place])
            if place >= len(units):
                break
            if has_leaf:
                found.append((i - start + 1, units[place] & 0x7FFFFFFF))
        return found

    def _replacement(self, value: int) -> str:
        end = self.replacements.find(b"\0", value)
        written = self.replacements[value : end if end >= 0 else len(self.replacements)]
        return written.decode(errors="replace")


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 1 << 9) >> 6)
