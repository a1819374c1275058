"""SentencePiece's own way through a .model file, piece for piece.

A tokenizer.json can say nearly the same, but not all of it: sentencepiece replaces the longest
match of its normalization rules, adds up scores in 32 bits, looks at a whole text at once, and
never takes `</s>` in a text for the end of the text. So a .model runs here, and only saving it
goes through an equivalent tokenizer.json.

Sources: Kudo and Richardson 2018 (https://arxiv.org/abs/1808.06226) and
https://github.com/google/sentencepiece (src/normalizer.cc, unigram_model.cc, bpe_model.cc,
sentencepiece_processor.cc).
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator

from headway.tokenizer.added_tokens import AddedTokens
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.charsmap import Charsmap
from headway.tokenizer.formats.sentencepiece_model import (
    BYTE,
    CONTROL,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    SpmModel,
)
from headway.tokenizer.pieces import Piece
from headway.tokenizer.postprocessors import PostProcessor
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.unigram import UNKNOWN_PENALTY, longest_by_first

__all__ = ["SPACE", "sentencepiece_pipeline"]

SPACE = "\u2581"


def sentencepiece_pipeline(
    model: SpmModel, added: AddedTokens, postprocessor: PostProcessor | None, place: str
) -> Pipeline:
    """The pipeline of a .model."""
    engine = _Unigram(model) if model.algorithm == "unigram" else _Bpe(model)
    return Pipeline(
        engine,
        added=added,
        normalizer=_Normalizer(model, place),
        postprocessor=postprocessor,
        decoder=lambda tokens: [_decode(model, tokens)],
    )


class _Symbols:
    """Finds user-defined symbols, which are neither normalized nor cut."""

    def __init__(self, symbols: dict[str, int]) -> None:
        self._symbols, self._longest = symbols, longest_by_first(symbols)

    def length_at(self, text: str, start: int) -> int:
        """The length of the longest one that begins at a place, or 0."""
        longest = self._longest.get(text[start], 0)
        lengths = range(min(longest, len(text) - start), 0, -1)
        return next((n for n in lengths if text[start : start + n] in self._symbols), 0)


class _Normalizer:
    """Applies the rules, tidies spaces, marks them, and puts one before the text."""

    def __init__(self, model: SpmModel, place: str) -> None:
        self.model = model
        self.rules = Charsmap(model.charsmap, place) if model.charsmap else None
        self.symbols = _Symbols(model.of_kind(USER_DEFINED))
        self.space = SPACE if model.escape_spaces else " "

    def __call__(self, text: AlignedText) -> AlignedText:
        """The text as the model sees it."""
        model, space = self.model, self.space
        groups: list[tuple[str, int]] = []
        after_space = model.remove_spaces
        only_spaces = True
        for written, count in self._prefixes(text.text):
            only_spaces = only_spaces and written == " "
            kept = written.lstrip(" ") if after_space else written
            if kept:
                after_space = kept.endswith(" ") and model.remove_spaces
            groups.append((kept.replace(" ", space), count))
        if not text.text or (only_spaces and model.remove_spaces):
            return AlignedText("", text.origin)
        body = text.regroup(groups)
        if model.dummy_prefix and not model.space_as_suffix:
            body = self._with_mark(body, at_end=False)
        if model.remove_spaces:
            body = body.slice(0, len(_without_end(body.text, space)))
        if model.dummy_prefix and model.space_as_suffix:
            body = self._with_mark(body, at_end=True)
        return body

    def _prefixes(self, text: str) -> Iterator[tuple[str, int]]:
        """What the text becomes, as (replacement, how many characters it replaces)."""
        data = text.encode()
        place = i = 0
        while i < len(text):
            count = self.symbols.length_at(text, i)
            if count:
                written = text[i : i + count]
                size = len(written.encode())
            else:
                written, size = self.rules.longest(data, place) if self.rules else ("", 0)
                count = len(data[place : place + size].decode())
            if not size:
                written, count, size = text[i], 1, len(text[i].encode())
            yield written, count
            i, place = i + count, place + size

    def _with_mark(self, text: AlignedText, *, at_end: bool) -> AlignedText:
        if not text.text:
            return AlignedText(self.space, text.origin, [text.origin], [text.origin])
        if at_end:
            return text.substitute([(len(text.text), len(text.text))], self.space)
        return text.prepend(self.space)


def _without_end(text: str, end: str) -> str:
    while text.endswith(end):
        text = text[: -len(end)]
    return text


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


class _Unigram:
    """The best cut of a whole text, with scores of 32 bits."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        normal = [piece.score for piece in model.pieces if piece.kind == NORMAL]
        self._unknown_score = _float32(min(normal, default=0.0) - UNKNOWN_PENALTY)
        best = max(normal, default=0.0)
        self._scores: dict[str, tuple[float, int]] = {}
        for number, piece in enumerate(model.pieces):
            if piece.kind == NORMAL:
                self._scores[piece.text] = (piece.score, number)
            elif piece.kind == USER_DEFINED:
                # Better than any cut of the same text into other pieces.
                bonus = _float32(len(piece.text.encode()) * best) - 0.1
                self._scores[piece.text] = (bonus, number)
        self._longest = longest_by_first(dict.fromkeys(self._scores, 0))

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of a text."""
        return [*_with_unknown(self.model, text, self._best_cut(text))]

    def _best_cut(self, text: str) -> list[tuple[int, int, int]]:
        size, unknown = len(text), self.model.unknown_id
        best = [0.0] * (size + 1)
        came_from: list[tuple[int, int] | None] = [None] * (size + 1)  # (start, id)
        for start in range(size):
            so_far = best[start]
            has_single = False
            for end in range(start + 1, min(size, start + self._longest.get(text[start], 0)) + 1):
                known = self._scores.get(text[start:end])
                if known is None:
                    continue
                has_single = has_single or end == start + 1
                score = known[0] + so_far
                if came_from[end] is None or score > best[end]:
                    best[end], came_from[end] = _float32(score), (start, known[1])
            if not has_single:
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


class _Bpe:
    """Joins neighbours whose union is the best-scored piece, again and again, in a whole text."""

    def __init__(self, model: SpmModel) -> None:
        self.model, self.vocabulary = model, model.vocabulary
        self._joins = model.of_kind(NORMAL, USER_DEFINED, UNUSED)
        self._unused = model.of_kind(UNUSED)
        self._symbols = _Symbols(model.of_kind(USER_DEFINED))

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


def _decode(model: SpmModel, tokens: list[str]) -> str:
    """The text of pieces: marks become spaces, bytes become characters, unknown its stand-in."""
    controls, byte_pieces = model.of_kind(CONTROL), model.of_kind(BYTE)
    unknown = model.pieces[model.unknown_id].text
    out: list[str] = []
    held = bytearray()
    at_start = True
    for token in tokens:
        if token in byte_pieces:
            held.append(int(token[3:5], 16))
            continue
        out.append(_decode_bytes(held))
        held = bytearray()
        at_start = at_start and not any(out)
        if token == unknown:
            token = model.unknown_surface
        elif token not in controls and at_start and (model.dummy_prefix or model.remove_spaces):
            stripped = token.removeprefix(SPACE)
            at_start = model.remove_spaces or stripped == token
            token = stripped
        out.append(token.replace(SPACE, " "))
    return "".join([*out, _decode_bytes(held)])


def _decode_bytes(data: bytearray) -> str:
    """UTF-8 where it is; each byte that is in no character becomes U+FFFD."""
    out: list[str] = []
    place = 0
    while place < len(data):
        for size in (1, 2, 3, 4):
            try:
                out.append(data[place : place + size].decode())
            except UnicodeDecodeError:
                continue
            place += size
            break
        else:
            out.append("\ufffd")
            place += 1
    return "".join(out)
