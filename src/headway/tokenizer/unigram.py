"""Unigram: the cut of a text whose tokens have the greatest probability together.

Source: Kudo 2018 (https://arxiv.org/abs/1804.10959). The best cut is found by Viterbi's
algorithm, from left to right; an unknown character costs 10 more than the rarest token, and
neighbouring unknown characters give one token.
"""

from __future__ import annotations

import math
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.pieces import Model, Piece, WordCache
from headway.tokenizer.vocabulary import refuse_surrogates

__all__ = ["UNKNOWN_PENALTY", "Unigram", "longest_by_first", "read_unigram"]

UNKNOWN_PENALTY = 10.0


class Unigram:
    """Cuts a text into the most probable tokens.

    Args:
        scores: (token, log-probability) in the order of the ids.
        unknown: the id of the unknown token, or None.
        byte_fallback: unknown text is written as tokens `<0xC3>`, one a byte, if all exist.

    >>> model = Unigram([("<unk>", 0.0), ("a", -1.0), ("b", -1.0), ("ab", -1.5)], 0)
    >>> [piece.token for piece in model.tokenize("abaz")]
    ['ab', 'a', 'z']
    """

    def __init__(
        self, scores: list[tuple[str, float]], unknown: int | None, *, byte_fallback: bool = False
    ) -> None:
        # Where a token is listed twice the last one counts, as in the peer.
        self.vocabulary = {token: number for number, (token, _) in enumerate(scores)}
        self.scores, self.unknown, self.byte_fallback = scores, unknown, byte_fallback
        self._scores = {token: scores[number][1] for token, number in self.vocabulary.items()}
        self._longest = longest_by_first(self.vocabulary)
        self._unknown_score = min((s for _, s in scores), default=0.0) - UNKNOWN_PENALTY
        self.tokenize = WordCache(self._tokenize)

    def _tokenize(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        for start, end in self._best_cut(text):
            token = text[start:end]
            number = self.vocabulary.get(token)
            if number is None and self.byte_fallback:
                numbers = [self.vocabulary.get(f"<0x{byte:02X}>") for byte in token.encode()]
                if None not in numbers:
                    pieces += [
                        Piece(n, f"<0x{byte:02X}>", start, end)
                        for n, byte in zip(numbers, token.encode(), strict=True)
                        if n is not None
                    ]
                    continue
            pieces.append(Piece(self._known(number, token), token, start, end))
        return pieces

    def _known(self, number: int | None, token: str) -> int:
        if number is not None:
            return number
        if self.unknown is None:
            raise TokenizerError(
                f"{token!r:.60} is not in the vocabulary, which has no unknown token",
                next_step="set unk_id in the file",
            )
        return self.unknown

    def _best_cut(self, text: str) -> list[tuple[int, int]]:
        """The spans of the best tokens, neighbouring unknown characters joined."""
        size = len(text)
        best = [0.0] * (size + 1)  # score of the best cut up to each place
        came_from: list[int | None] = [None] * (size + 1)
        unknown = bytearray(size + 1)  # 1 where the last token of that cut is the unknown token
        scores = self._scores
        for start in range(size):
            so_far = best[start]
            has_single = False
            for end in range(start + 1, min(size, start + self._longest.get(text[start], 0)) + 1):
                score = scores.get(text[start:end])
                if score is None:
                    continue
                has_single = has_single or end == start + 1
                if came_from[end] is None or score + so_far > best[end]:
                    best[end], came_from[end] = score + so_far, start
                    unknown[end] = self.vocabulary[text[start:end]] == self.unknown
            if not has_single:
                score = self._unknown_score + so_far
                if came_from[start + 1] is None or score > best[start + 1]:
                    best[start + 1], came_from[start + 1] = score, start
                    unknown[start + 1] = 1
                    self._known(self.unknown, text[start])
        return _trace(came_from, unknown)


def _trace(came_from: list[int | None], unknown: bytearray) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    end = len(came_from) - 1
    after_unknown = False
    while end > 0:
        start = came_from[end]
        assert start is not None  # every place is reached, by an unknown character if need be
        if unknown[end] and after_unknown:
            spans[-1] = (start, spans[-1][1])
        else:
            spans.append((start, end))
        after_unknown = bool(unknown[end])
        end = start
    return spans[::-1]


def longest_by_first(tokens: dict[str, int]) -> dict[str, int]:
    """For each first character, the length of the longest token that begins with it.

    >>> longest_by_first({"a": 0, "abc": 1, "b": 2})
    {'a': 3, 'b': 1}
    """
    longest: dict[str, int] = {}
    for token in tokens:
        if token:
            longest[token[0]] = max(longest.get(token[0], 0), len(token))
    return longest


def read_unigram(fields: Fields) -> Model:
    """The model of a tokenizer.json."""
    scores = [
        _scored(entry, f"{fields.place}.vocab[{i}]")
        for i, entry in enumerate(fields.items("vocab"))
    ]
    refuse_surrogates((token for token, _ in scores), f"{fields.place}.vocab")
    unknown = None if fields.values.get("unk_id") is None else fields.count("unk_id")
    if unknown is not None and unknown >= len(scores):
        raise TokenizerError(
            f"{fields.place}.unk_id is {unknown}", allowed=f"less than {len(scores)} tokens"
        )
    return Unigram(scores, unknown, byte_fallback=fields.flag("byte_fallback", False))


def _scored(entry: Any, place: str) -> tuple[str, float]:
    if (
        not isinstance(entry, list)
        or len(entry) != 2
        or not isinstance(entry[0], str)
        or not isinstance(entry[1], int | float)
        or isinstance(entry[1], bool)
        or not math.isfinite(entry[1])
    ):
        raise TokenizerError(f"{place} is {entry!r:.60}", allowed="a token and a finite number")
    return entry[0], _as_the_peer_reads(float(entry[1]))


def _as_the_peer_reads(score: float) -> float:
    """The number that the `tokenizers` package takes a decimal number for.

    It divides the digits, rounded to 53 bits, by a power of ten, and may so be off by a unit in the
    last place. That decides between cuts that are otherwise alike: `-------` into `---` and `-`.
    """
    digits, _, exponent = repr(score).partition("e")
    whole, _, fraction = digits.partition(".")
    power = int(exponent or 0) - len(fraction)
    significand = float(int(whole + fraction))
    return significand / float(f"1e{-power}") if power < 0 else significand * float(f"1e{power}")
