"""What encoding a text gives: tokens with their places in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Encoding"]


@dataclass(slots=True)
class Encoding:
    """The tokens of a text, or of two; every list has one entry a token.

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
    """

    ids: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)
    word_ids: list[int | None] = field(default_factory=list)
    type_ids: list[int] = field(default_factory=list)
    special_mask: list[int] = field(default_factory=list)
    sequence_ids: list[int | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def token_at(self, char: int, sequence: int = 0) -> int | None:
        """The first token that covers a character of a text, or None where none does."""
        for i, (start, end) in enumerate(self.offsets):
            if start <= char < end and self.sequence_ids[i] == sequence:
                return i
        return None

    def span(self, token: int) -> tuple[int, int]:
        """The characters that a token covers, as (start, end) in the text it came from."""
        return self.offsets[token]

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
