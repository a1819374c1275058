"""Where the tokens of one text are, to be asked from characters and from words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

__all__ = ["Alignment"]


class Alignment:
    """The tokens of one text that cover some of it, found by bisection.

    Spans may overlap, as those of the byte-level tokens of one character do. Spans out of order,
    which byte fallback beside an unknown token and templates that hold a text twice give, are
    searched one by one.

    Args:
        tokens: places of the text's tokens in its encoding, from left to right.
        spans: (start, end) in characters, of each of these tokens.
        words: number of the word, of each of these tokens.

    >>> places = Alignment([1, 2, 3], [(0, 4), (5, 7), (7, 8)], [0, 1, 1])
    >>> places.tokens_of(3, 6), places.tokens_of(4, 5), places.tokens_of_word(1)
    (range(1, 3), range(0, 0), range(2, 4))
    >>> places.word_span(1)
    (5, 8)
    """

    __slots__ = ("_ends", "_ordered", "_starts", "_tokens", "_words")

    def __init__(
        self, tokens: list[int], spans: list[tuple[int, int]], words: list[int | None]
    ) -> None:
        covering = [i for i, (start, end) in enumerate(spans) if start < end]
        self._tokens = [tokens[i] for i in covering]
        self._starts = [spans[i][0] for i in covering]
        self._ends = [spans[i][1] for i in covering]
        self._ordered = _rises(self._starts) and _rises(self._ends)
        # A word -> its first token, its last token, where they begin, where they end.
        self._words: dict[int, tuple[int, int, int, int]] = {}
        for token, (start, end), word in zip(tokens, spans, words, strict=True):
            if word is None:
                continue
            first, _, left, right = self._words.get(word, (token, token, start, end))
            if start < end:  # a token that covers nothing does not widen the word
                left, right = (min(left, start), max(right, end)) if left < right else (start, end)
            self._words[word] = first, token, left, right

    def tokens_of(self, start: int, end: int) -> range:
        """From the first to the last token that covers a character of start..end."""
        if end <= start:
            return range(0)
        if self._ordered:
            first, stop = bisect_right(self._ends, start), bisect_left(self._starts, end)
        else:
            spans = zip(self._starts, self._ends, strict=True)
            touching = [i for i, (left, right) in enumerate(spans) if left < end and right > start]
            first, stop = (touching[0], touching[-1] + 1) if touching else (0, 0)
        return range(self._tokens[first], self._tokens[stop - 1] + 1) if first < stop else range(0)

    def tokens_of_word(self, word: int) -> range:
        """From the first to the last token of a word."""
        if word not in self._words:
            return range(0)
        first, last, *_ = self._words[word]
        return range(first, last + 1)

    def word_span(self, word: int) -> tuple[int, int] | None:
        """From the first to the last character of a word, as (start, end)."""
        if word not in self._words:
            return None
        *_, start, end = self._words[word]
        return start, end


def _rises(numbers: list[int]) -> bool:
    return all(a <= b for a, b in pairwise(numbers))
