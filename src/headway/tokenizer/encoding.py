"""What encoding a text gives: tokens with their places in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

from headway.tokenizer.alignment import Alignment

__all__ = ["Encoding"]


@dataclass(slots=True)
class Encoding:
    """The tokens of a text, or of two; every list has one entry a token.

    Questions about characters and words are answered by bisection, in an index that the first of
    them makes: the lists are not to be changed after it. Places in bytes are those of characters
    as `ByteOffsets` has them.

    Attributes:
        ids: numbers in the vocabulary.
        tokens: how the vocabulary writes them.
        offsets: (start, end) in characters of the text the token came from; (0, 0) for a token
            that was added ([CLS] and the like). The two texts of a pair are counted separately.
        word_ids: which piece of the pre-tokenizer's the token belongs to, counted from 0 in each
            text; None for an added token.
        type_ids: segment numbers for models that have them.
        special_mask: 1 for an added token, 0 for a token of the text.
        sequence_ids: 0 for the first text, 1 for the second, None for an added token.

    >>> e = Encoding([7, 8], ["good", "day"], [(0, 4), (5, 8)], [0, 1], [0, 0], [0, 0], [0, 0])
    >>> e.token_at(6), e.token_at(4), e.span(1), len(e)
    (1, None, (5, 8), 2)
    >>> e.tokens_of(3, 6), e.tokens_of_word(1), e.word_at(6), e.word_span(1)
    (range(0, 2), range(1, 2), 1, (5, 8))
    """

    ids: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    word_ids: list[int | None] = field(default_factory=list)
    type_ids: list[int] = field(default_factory=list)
    special_mask: list[int] = field(default_factory=list)
    sequence_ids: list[int | None] = field(default_factory=list)
    _alignments: dict[int, Alignment] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.ids)

    def token_at(self, char: int, sequence: int = 0) -> int | None:
        """The first token that covers a character of a text, or None where none does."""
        found = self.tokens_of(char, char + 1, sequence)
        return found.start if found else None

    def tokens_of(self, start: int, end: int, sequence: int = 0) -> range:
        """The tokens that cover any of the characters start..end of a text.

        From the first of them to the last; between the two can be tokens that cover nothing.
        """
        return self._alignment(sequence).tokens_of(start, end)

    def span(self, token: int) -> tuple[int, int]:
        """The characters that a token covers, as (start, end) in the text it came from."""
        return self.offsets[token]

    def word_at(self, char: int, sequence: int = 0) -> int | None:
        """The word of the first token that covers a character, or None where none does."""
        token = self.token_at(char, sequence)
        return None if token is None else self.word_ids[token]

    def word_span(self, word: int, sequence: int = 0) -> tuple[int, int] | None:
        """The characters of a word of a text, as (start, end), or None where it is not here.

        Of a word that a window cuts, these are the characters of its tokens in the window.
        """
        return self._alignment(sequence).word_span(word)

    def tokens_of_word(self, word: int, sequence: int = 0) -> range:
        """The tokens of a word of a text; none where it is not here."""
        return self._alignment(sequence).tokens_of_word(word)

    def slice(self, start: int, end: int) -> Encoding:
        """Tokens start..end, with offsets into the same text."""
        return Encoding(
            self.ids[start:end],
            self.tokens[start:end],
            self.offsets[start:end],
            self.word_ids[start:end],
            self.type_ids[start:end],
            self.special_mask[start:end],
            self.sequence_ids[start:end],
        )

    @staticmethod
    def join(parts: list[Encoding]) -> Encoding:
        """The tokens of several encodings, one after the other."""
        whole = Encoding()
        for part in parts:
            whole.ids += part.ids
            whole.tokens += part.tokens
            whole.offsets += part.offsets
            whole.word_ids += part.word_ids
            whole.type_ids += part.type_ids
            whole.special_mask += part.special_mask
            whole.sequence_ids += part.sequence_ids
        return whole

    @staticmethod
    def added(ids: list[int], tokens: list[str], type_id: int) -> Encoding:
        """Tokens that stand for no text: [CLS], [SEP] and the like."""
        count = len(ids)
        return Encoding(
            list(ids),
            list(tokens),
            [(0, 0)] * count,
            [None] * count,
            [type_id] * count,
            [1] * count,
            [None] * count,
        )

    def with_type(self, type_id: int) -> Encoding:
        """The same tokens in another segment."""
        return Encoding(
            self.ids,
            self.tokens,
            self.offsets,
            self.word_ids,
            [type_id] * len(self),
            self.special_mask,
            self.sequence_ids,
        )

    def _alignment(self, sequence: int) -> Alignment:
        if sequence not in self._alignments:
            tokens = [i for i, whose in enumerate(self.sequence_ids) if whose == sequence]
            self._alignments[sequence] = Alignment(
                tokens, [self.offsets[i] for i in tokens], [self.word_ids[i] for i in tokens]
            )
        return self._alignments[sequence]
