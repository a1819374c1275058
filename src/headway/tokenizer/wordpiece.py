"""WordPiece and WordLevel: the longest token that fits, and whole words only.

Sources: Wu et al. 2016 (https://arxiv.org/abs/1609.08144), section 4.1; the matching is that of
BERT's tokenization.py (Devlin et al. 2018).
"""

from __future__ import annotations

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.pieces import Model, Piece, WordCache
from headway.tokenizer.vocabulary import checked_vocabulary

__all__ = ["WordLevel", "WordPiece", "read_wordlevel", "read_wordpiece"]


class WordPiece:
    """Cuts a word from left to right, each time taking the longest token of the vocabulary.

    A word that cannot be cut to its end, or is longer than `longest_word` characters, becomes the
    unknown token as a whole.

    >>> model = WordPiece({"[UNK]": 0, "un": 1, "##able": 2}, "[UNK]", "##", 100)
    >>> [tuple(piece) for piece in model.tokenize("unable")]
    [(1, 'un', 0, 2), (2, '##able', 2, 6)]
    """

    def __init__(
        self, vocabulary: dict[str, int], unknown: str, prefix: str, longest_word: int
    ) -> None:
        self.vocabulary, self.unknown = vocabulary, unknown
        self.prefix, self.longest_word = prefix, longest_word
        self._longest_token = max(map(len, vocabulary), default=0)
        self.tokenize = WordCache(self._tokenize)

    def _tokenize(self, word: str) -> list[Piece]:
        if len(word) > self.longest_word:
            return [_unknown_piece(self, word)]
        pieces: list[Piece] = []
        start = 0
        while start < len(word):
            prefix = self.prefix if start else ""
            for end in range(min(len(word), start + self._longest_token), start, -1):
                token = prefix + word[start:end]
                number = self.vocabulary.get(token)
                if number is not None:
                    pieces.append(Piece(number, token, start, end))
                    start = end
                    break
            else:
                return [_unknown_piece(self, word)]
        return pieces


class WordLevel:
    """Takes a whole word as a token, or as the unknown token.

    >>> WordLevel({"<unk>": 0, "yes": 1}, "<unk>").tokenize("yes")[0].id
    1
    """

    def __init__(self, vocabulary: dict[str, int], unknown: str) -> None:
        self.vocabulary, self.unknown = vocabulary, unknown

    def tokenize(self, word: str) -> list[Piece]:
        """One token."""
        number = self.vocabulary.get(word)
        if number is None:
            return [_unknown_piece(self, word)]
        return [Piece(number, word, 0, len(word))]


def _unknown_piece(model: WordPiece | WordLevel, word: str) -> Piece:
    number = model.vocabulary.get(model.unknown)
    if number is None:
        raise TokenizerError(
            f"{word!r:.60} is not in the vocabulary, which has no token {model.unknown!r} for it",
            next_step=f"add {model.unknown!r} to the vocabulary",
        )
    return Piece(number, model.unknown, 0, len(word))


def read_wordpiece(fields: Fields) -> Model:
    """The model of a tokenizer.json."""
    return WordPiece(
        checked_vocabulary(fields.mapping("vocab").items(), f"{fields.place}.vocab"),
        fields.text("unk_token"),
        fields.text("continuing_subword_prefix"),
        fields.count("max_input_chars_per_word"),
    )


def read_wordlevel(fields: Fields) -> Model:
    """The model of a tokenizer.json."""
    vocabulary = checked_vocabulary(fields.mapping("vocab").items(), f"{fields.place}.vocab")
    return WordLevel(vocabulary, fields.text("unk_token"))
