"""Where the words of a text stand, and which token of which window speaks for each.

A word is a stretch of letters and digits, or any other character by itself; in scripts without
spaces every token is one. Tokens are never cut, so that a tokenizer's own view is kept. A text that
comes in words keeps these.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from headway.tokenizer import Encoding
from headway.windows import Windowed

__all__ = ["Placed", "joined_places", "place_words"]

Place = tuple[int, int]

UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai, Lao; Myanmar; Khmer
    *((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # kana, Han
)
"""Ranges of characters whose scripts write no space between words."""


@dataclass(frozen=True)
class Placed(Windowed):
    """A text in windows, and its words.

    Attributes:
        text: all of it; words that came apart are joined by spaces.
        words: (start, end) of each, in characters.
        speakers: (window, token) that speaks for each: its first token, in the window that shows
            most around it; None for a word that the tokenizer drops.
        shown: of each window, (word, its first token) of the words that begin in it.
    """

    text: str = ""
    words: list[Place] = field(default_factory=list)
    speakers: list[tuple[int, int] | None] = field(default_factory=list)
    shown: list[list[tuple[int, int]]] = field(default_factory=list)


def joined_places(words: Sequence[str]) -> list[Place]:
    """Where words stand that are joined by spaces.

    >>> joined_places(["New", "York"])
    [(0, 3), (4, 8)]
    """
    places, start = [], 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word) + 1
    return places


def place_words(text: str, windowed: Windowed, words: Sequence[Place] | None = None) -> Placed:
    """Finds the words of a text in its windows.

    Args:
        text: the whole of it.
        windowed: with `places`.
        words: where they stand, in order; None = found by the rule above.
    """
    tokens = [_tokens(window) for window in windowed.places]
    found = list(words) if words is not None else _words(text, tokens)
    starts = [start for start, _ in found]
    speakers: list[tuple[int, int] | None] = [None] * len(found)
    best = [-1] * len(found)  # tokens around the speaker, on the side where there are fewer
    shown: list[list[tuple[int, int]]] = []
    for window, part in enumerate(tokens):
        seen = -1
        shown.append([])
        for order, (number, start, end) in enumerate(part):
            word = bisect.bisect_right(starts, max(start, end - 1)) - 1
            if word <= seen or word < 0 or start >= found[word][1]:
                continue
            seen = word
            around = min(order, len(part) - 1 - order)
            # A window that begins inside the word shows a later token of it.
            whole = start <= found[word][0]
            if whole:
                shown[-1].append((word, number))
            worth = around + (1_000_000 if whole else 0)
            if worth > best[word]:
                best[word], speakers[word] = worth, (window, number)
    return Placed(
        windowed.ids,
        windowed.segments,
        windowed.tokens,
        windowed.places,
        text=text,
        words=found,
        speakers=speakers,
        shown=shown,
    )


def _tokens(window: Encoding) -> list[tuple[int, int, int]]:
    """(number, start, end) of the tokens that stand for characters of the first text."""
    return [
        (number, start, end)
        for number, ((start, end), sequence) in enumerate(
            zip(window.offsets, window.sequence_ids, strict=True)
        )
        if sequence == 0 and end > start
    ]


def _words(text: str, tokens: Sequence[Sequence[tuple[int, int, int]]]) -> list[Place]:
    """The words that the tokens of all windows make together."""
    places = sorted({(start, end) for part in tokens for _, start, end in part})
    words: list[list[int]] = []
    for start, end in places:
        while start < end and text[start].isspace():
            start += 1
        if start == end:
            continue
        if words and start < words[-1][1]:  # bytes of one character
            words[-1][1] = max(words[-1][1], end)
        elif words and start == words[-1][1] and _goes_on(text[start - 1], text[start]):
            words[-1][1] = end
        else:
            words.append([start, end])
    return [(start, end) for start, end in words]


def _goes_on(before: str, after: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    spaced = not (_unspaced(before) or _unspaced(after))
    return spaced and before.isalnum() and after.isalnum()


def _unspaced(character: str) -> bool:
    code = ord(character)
    return code >= UNSPACED[0][0] and any(low <= code <= high for low, high in UNSPACED)
