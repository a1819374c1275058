"""Byte-pair encoding: the two neighbours whose merge was learnt first are joined, again and again.

Source: Sennrich et al. 2016 (https://arxiv.org/abs/1508.07909). The options are those of
tokenizer.json files. Neighbours wait in a heap and symbols in a linked list, so that a word of n
characters takes O(n log n) steps.
"""

from __future__ import annotations

import heapq

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.pieces import Model, Piece, WordCache
from headway.tokenizer.vocabulary import checked_vocabulary

__all__ = ["Bpe", "Merges", "read_bpe", "read_merges"]

Merges = dict[tuple[int, int], tuple[int, int]]  # (left, right) -> (rank, merged)


class Symbol:
    """A token in the making: its id, the UTF-8 bytes of the word it covers, and its neighbours."""

    __slots__ = ("end", "left", "number", "right", "start")

    def __init__(self, number: int, start: int, end: int) -> None:
        self.number, self.start, self.end = number, start, end
        self.left: int = -1
        self.right: int = -1


class Bpe:
    """Joins the characters of a word by learnt merges.

    Args:
        vocabulary: token -> id.
        merges: pairs of ids -> (rank, id of the joined token); the lowest rank is joined first.
        unknown: what stands for a character that is not in the vocabulary; without it such a
            character gives no token.
        fuse_unknown: neighbouring unknown characters give one token.
        byte_fallback: such a character is written as tokens `<0xC3>`, one a byte, if all exist.
        prefix: what tokens inside a word begin with.
        suffix: what the last token of a word ends with.
        ignore_merges: a word that is in the vocabulary is a token, however it could be merged.

    >>> model = Bpe({"h": 0, "i": 1, "hi": 2}, {(0, 1): (0, 2)})
    >>> model.tokenize("hih")
    [Piece(id=2, token='hi', start=0, end=2), Piece(id=0, token='h', start=2, end=3)]
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        merges: Merges,
        *,
        unknown: str | None = None,
        fuse_unknown: bool = False,
        byte_fallback: bool = False,
        prefix: str = "",
        suffix: str = "",
        ignore_merges: bool = False,
    ) -> None:
        self.vocabulary, self.merges = vocabulary, merges
        self.unknown, self.fuse_unknown = unknown, fuse_unknown
        self.byte_fallback, self.ignore_merges = byte_fallback, ignore_merges
        self.prefix, self.suffix = prefix, suffix
        self._tokens = {number: token for token, number in vocabulary.items()}
        self.tokenize = WordCache(self._tokenize)

    def _tokenize(self, word: str) -> list[Piece]:
        if self.ignore_merges and word in self.vocabulary:
            return [Piece(self.vocabulary[word], word, 0, len(word))]
        symbols = self._symbols(word)
        merge_all(symbols, self.merges)
        place = _character_places(word)
        return [
            Piece(s.number, self._tokens[s.number], place[s.start], place[s.end - 1] + 1)
            for s in symbols
            if s.start < s.end
        ]

    def _symbols(self, word: str) -> list[Symbol]:
        """A symbol a character, or a byte, before any merge."""
        symbols: list[Symbol] = []
        unknown: Symbol | None = None
        end = 0
        for i, character in enumerate(word):
            start, end = end, end + len(character.encode())
            written = self.prefix * (i > 0) + character + self.suffix * (i == len(word) - 1)
            number = self.vocabulary.get(written)
            if number is not None:
                if unknown:
                    symbols.append(unknown)
                    unknown = None
                symbols.append(Symbol(number, start, end))
            elif self.byte_fallback and (numbers := self._byte_numbers(written)):
                # An unknown token that is still held back comes after these, as in the peer.
                last = end - 1
                for k, byte in enumerate(numbers):
                    at = min(start + k, last)
                    symbols.append(Symbol(byte, at, at + 1))
            elif unknown and self.fuse_unknown:
                unknown.end = end
            elif self.unknown is not None:
                if unknown:
                    symbols.append(unknown)
                unknown = Symbol(self._unknown_number(character), start, end)
        if unknown:
            symbols.append(unknown)
        return symbols

    def _byte_numbers(self, text: str) -> list[int]:
        """The ids of the bytes of a text, or nothing when one of them is missing."""
        numbers = [self.vocabulary.get(f"<0x{byte:02X}>") for byte in text.encode()]
        return [] if None in numbers else [number for number in numbers if number is not None]

    def _unknown_number(self, character: str) -> int:
        assert self.unknown is not None  # the only caller has looked
        number = self.vocabulary.get(self.unknown)
        if number is None:
            raise TokenizerError(
                f"{character!r} is not in the vocabulary, nor is its stand-in {self.unknown!r}",
                next_step=f"add {self.unknown!r} to the vocabulary",
            )
        return number


def merge_all(symbols: list[Symbol], merges: Merges) -> None:
    """Joins neighbours by rank, then from left to right; a swallowed symbol covers nothing."""
    for i, symbol in enumerate(symbols):
        symbol.left, symbol.right = i - 1, i + 1 if i + 1 < len(symbols) else -1
    queue: list[tuple[int, int, int]] = []

    def consider(left: int, right: int) -> None:
        merge = merges.get((symbols[left].number, symbols[right].number))
        if merge is not None:
            heapq.heappush(queue, (merge[0], left, merge[1]))

    for i in range(len(symbols) - 1):
        consider(i, i + 1)
    while queue:
        _, i, merged = heapq.heappop(queue)
        symbol = symbols[i]
        if symbol.start == symbol.end or symbol.right < 0:
            continue
        neighbour = symbols[symbol.right]
        known = merges.get((symbol.number, neighbour.number))
        if known is None or known[1] != merged:
            continue  # one of the two has been merged with another since
        symbol.number, symbol.end, symbol.right = merged, neighbour.end, neighbour.right
        neighbour.end = neighbour.start
        if symbol.right >= 0:
            symbols[symbol.right].left = i
            consider(i, symbol.right)
        if symbol.left >= 0:
            consider(symbol.left, i)


def _character_places(word: str) -> range | list[int]:
    """For each UTF-8 byte of a word, which character it belongs to."""
    if word.isascii():
        return range(len(word))
    return [i for i, character in enumerate(word) for _ in character.encode()]


def read_merges(pairs: list[tuple[str, str]], vocabulary: dict[str, int], prefix: str) -> Merges:
    """Merges as ids, from pairs of tokens in the order in which they were learnt.

    >>> read_merges([("a", "##b")], {"a": 0, "##b": 1, "ab": 2}, "##")
    {(0, 1): (0, 2)}
    """
    merges: Merges = {}
    for rank, (left, right) in enumerate(pairs):
        merged = left + right[len(prefix) :]
        for token in (left, right, merged):
            if token not in vocabulary:
                raise TokenizerError(
                    f"merge {rank + 1} ({left!r}, {right!r}) needs the token {token!r}, "
                    "which is not in the vocabulary",
                    next_step="use the vocabulary and the merges of one and the same model",
                )
        merges[vocabulary[left], vocabulary[right]] = (rank, vocabulary[merged])
    return merges


def read_bpe(fields: Fields) -> Model:
    """The model of a tokenizer.json."""
    if fields.values.get("dropout"):
        raise TokenizerError(
            f"{fields.place}.dropout is {fields.values['dropout']!r}: the same text would get "
            "other tokens each time",
            next_step="set dropout to null in the file",
        )
    vocabulary = checked_vocabulary(fields.mapping("vocab").items(), f"{fields.place}.vocab")
    prefix = fields.optional_text("continuing_subword_prefix") or ""
    pairs = [
        _merge_pair(merge, f"{fields.place}.merges[{i}]")
        for i, merge in enumerate(fields.items("merges"))
    ]
    return Bpe(
        vocabulary,
        read_merges(pairs, vocabulary, prefix),
        unknown=fields.optional_text("unk_token"),
        fuse_unknown=fields.flag("fuse_unk", False),
        byte_fallback=fields.flag("byte_fallback", False),
        prefix=prefix,
        suffix=fields.optional_text("end_of_word_suffix") or "",
        ignore_merges=fields.flag("ignore_merges", False),
    )


def _merge_pair(merge: object, place: str) -> tuple[str, str]:
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(parts, list) or len(parts) != 2 or not all(type(p) is str for p in parts):
        raise TokenizerError(f"{place} is {merge!r:.60}", allowed="two tokens")
    return parts[0], parts[1]
