"""SentencePiece's own models: they cut a whole text at once, across words.

Unigram and byte-pair models differ from unigram.py and bpe.py in what the `tokenizers` package left
out: scores of 32 bits, symbols defined by the user, pieces that are not to be used. Models of words
and of characters have no choice.

Sources: https://github.com/google/sentencepiece (src/unigram_model.cc, src/bpe_model.cc,
src/word_model.cc, src/char_model.cc).
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable, Iterator

from headway.tokenizer.formats.sentencepiece_model import (
    BYTE,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    SpmModel,
)
from headway.tokenizer.pieces import Piece
from headway.tokenizer.unigram import UNKNOWN_PENALTY, longest_by_first

__all__ = [
    "SPACE",
    "SPM_MODELS",
    "SpmBpe",
    "SpmChar",
    "SpmModels",
    "SpmUnigram",
    "SpmWord",
    "Symbols",
    "word_spans",
]

SPACE = "\u2581"


class Symbols:
    """Finds user-defined symbols, which are neither normalized nor cut."""

    def __init__(self, symbols: dict[str, int]) -> None:
        self._symbols, self._longest = symbols, longest_by_first(symbols)

    def length_at(self, text: str, start: int) -> int:
        """The length of the longest one that begins at a place, or 0."""
        longest = self._longest.get(text[start], 0)
        lengths = range(min(longest, len(text) - start), 0, -1)
        return next((n for n in lengths if text[start : start + n] in self._symbols), 0)


def _float32(value: float) -> float:
    """The nearest 32-bit number, which is what sentencepiece keeps of a score."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def _with_unknown(model: SpmModel, text: str, cut: list[tuple[int, int, int]]) -> Iterator[Piece]:
    """Tokens of (start, end, id): unknown neighbours joined, or unknown text as bytes."""
    unknown = model.unknown_id
    byte_ids = model.of_kind(BYTE) if model.byte_fallback else {}
    held: tuple[int, int] | None = None
    for start, end, number in cut:
        if number == unknown and byte_ids:
            for byte in text[start:end].encode():
                token = f"<0x{byte:02X}>"
                yield Piece(byte_ids[token], token, start, end)
        elif number == unknown:
            held = (held[0] if held else start, end)
        else:
            if held:
                yield Piece(unknown, text[held[0] : held[1]], *held)
                held = None
            yield Piece(number, text[start:end], start, end)
    if held:
        yield Piece(unknown, text[held[0] : held[1]], *held)


class SpmUnigram:
    """The best cut of a whole text, with scores of 32 bits."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        normal = [piece.score for piece in model.pieces if piece.kind == NORMAL]
        self._unknown_score = _float32(min(normal, default=0.0) - UNKNOWN_PENALTY)
        self._scores: dict[str, tuple[float, int]] = {}
        for number, piece in enumerate(model.pieces):
            if piece.kind == NORMAL:
                self._scores[piece.text] = (piece.score, number)
            elif piece.kind == USER_DEFINED:
                # Better than any cut of the same text into other pieces.
                bonus = _float32(0.1 * (len(piece.text.encode()) - 1))
                self._scores[piece.text] = (bonus, number)
        self._longest = longest_by_first(dict.fromkeys(self._scores, 0))

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of a text."""
        return [*_with_unknown(self.model, text, self._best_cut(text))]

    def _best_cut(self, text: str) -> list[tuple[int, int, int]]:
        size, unknown = len(text), self.model.unknown_id
        best = [0.0] * (size + 1)
        came_from: list[tuple[int, int] | None] = [None] * (size + 1)  # (start, id)
        furthest = 0
        for start in range(size):
            if abs(best[start]) > _RESET:
                _reset(best, came_from, start, furthest)
            so_far = best[start]
            has_single = False
            for end in range(start + 1, min(size, start + self._longest.get(text[start], 0)) + 1):
                known = self._scores.get(text[start:end])
                if known is None:
                    continue
                has_single = has_single or end == start + 1
                furthest = max(furthest, end)
                score = _float32(known[0] + so_far)
                if came_from[end] is None or score > best[end]:
                    best[end], came_from[end] = score, (start, known[1])
            if not has_single:
                furthest = max(furthest, start + 1)
                score = _float32(self._unknown_score + so_far)
                if came_from[start + 1] is None or score > best[start + 1]:
                    best[start + 1], came_from[start + 1] = score, (start, unknown)
        cut: list[tuple[int, int, int]] = []
        end = size
        while end > 0:
            step = came_from[end]
            assert step is not None  # every place is reached, by an unknown character if need be
            cut.append((step[0], end, step[1]))
            end = step[0]
        return cut[::-1]


_RESET = 100_000.0


def _reset(
    best: list[float], came_from: list[tuple[int, int] | None], start: int, furthest: int
) -> None:
    """Starts counting anew in a long text, where 32 bits would leave no digits for a score."""
    offset = best[start]
    for i in range(start, furthest + 1):
        if i == start or came_from[i] is not None:
            best[i] = _float32(best[i] - offset)


class SpmBpe:
    """Joins neighbours whose union is the best-scored piece, again and again, in a whole text."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        self._joins = model.of_kind(NORMAL, USER_DEFINED, UNUSED)
        self._unused = model.of_kind(UNUSED)
        self._symbols = Symbols(model.of_kind(USER_DEFINED))

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of a text."""
        unknown = self.model.unknown_id
        cut = [
            (start, end, self.vocabulary.get(text[start:end], unknown))
            for start, end in self._merged(text)
        ]
        return [*_with_unknown(self.model, text, cut)]

    def _merged(self, text: str) -> list[tuple[int, int]]:
        ends: dict[int, int] = {}  # start of a symbol -> its end
        frozen: set[int] = set()
        place = 0
        while place < len(text):
            length = self._symbols.length_at(text, place)
            if length:
                frozen.add(place)
            ends[place] = place + (length or 1)
            place = ends[place]
        starts = {end: start for start, end in ends.items()}
        origin: dict[str, int] = {}  # unused piece -> length of its left half
        queue: list[tuple[float, int, int, int]] = []

        def consider(left: int | None, right: int | None) -> None:
            if left is None or right not in ends or left in frozen or right in frozen:
                return
            end = ends[right]
            whole = text[left:end]
            number = self._joins.get(whole)
            if number is not None:
                heapq.heappush(queue, (-self.model.pieces[number].score, left, right, end))
                if whole in self._unused:
                    origin[whole] = right - left

        for start in list(ends):
            consider(start, ends[start])
        while queue:
            _, left, right, end = heapq.heappop(queue)
            if ends.get(left) != right or ends.get(right) != end:
                continue  # one of the two has been joined with another since
            del ends[right]
            ends[left] = end
            starts[end] = left
            consider(starts.get(left), left)
            consider(left, end)
        return [span for item in sorted(ends.items()) for span in self._used(text, item, origin)]

    def _used(
        self, text: str, span: tuple[int, int], origin: dict[str, int]
    ) -> Iterator[tuple[int, int]]:
        """A piece that is not to be used comes apart again as it was joined."""
        start, end = span
        half = origin.get(text[start:end])
        if half is None:
            yield span
        else:
            yield from self._used(text, (start, start + half), origin)
            yield from self._used(text, (start + half, end), origin)


class SpmChar:
    """Each character is a token, but for symbols defined by the user."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        self._symbols = Symbols(model.of_kind(USER_DEFINED))

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of a text."""
        cut: list[tuple[int, int, int]] = []
        start = 0
        while start < len(text):
            end = start + (self._symbols.length_at(text, start) or 1)
            cut.append((start, end, self.vocabulary.get(text[start:end], self.model.unknown_id)))
            start = end
        return [*_with_unknown(self.model, text, cut)]


class SpmWord:
    """Each word, with the mark of the space before it, is a token; see `word_spans`."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        # A control piece in a text is an unknown word.
        self.words = model.of_kind(NORMAL, USER_DEFINED, UNUSED)

    def tokenize(self, text: str) -> list[Piece]:
        """The token of one word, or of unknown words."""
        number = self.words.get(text, self.model.unknown_id)
        return [Piece(number, text, 0, len(text))]


def word_spans(model: SpmModel) -> Callable[[str], list[tuple[int, int]]]:
    """What finds the words of a normalized text; neighbours that are unknown are one."""
    known = SpmWord(model).words

    def spans(text: str) -> list[tuple[int, int]]:
        starts = [i for i in range(len(text)) if i == 0 or text[i] == SPACE]
        found: list[tuple[int, int]] = []
        after_unknown = False
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            is_unknown = text[start:end] not in known
            if is_unknown and after_unknown:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
            after_unknown = is_unknown
        return found

    return spans


SpmModels = SpmUnigram | SpmBpe | SpmChar | SpmWord

SPM_MODELS: dict[str, Callable[[SpmModel], SpmModels]] = {
    "unigram": SpmUnigram,
    "bpe": SpmBpe,
    "word": SpmWord,
    "char": SpmChar,
}
"""Algorithm -> the model that follows it."""
