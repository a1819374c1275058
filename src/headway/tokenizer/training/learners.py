"""What each algorithm makes of counted words: the model of a tokenizer.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headway.errors import ConfigError
from headway.tokenizer import _native
from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS
from headway.tokenizer.formats.documents import Document, bpe_model

__all__ = [
    "Options",
    "Progress",
    "learn_bpe",
    "learn_byte_bpe",
    "learn_characters",
    "learn_unigram",
    "learn_wordpiece",
    "learn_words",
]

Progress = Callable[[str, int, int], None]

LONGEST_PIECE = 16
"""Characters of a piece of a Unigram model, as in SentencePiece."""

MARK = "▁"
"""Begins a word; there has to be a token for it, however rare it is among very long words."""

BYTE_TOKENS = [f"<0x{byte:02X}>" for byte in range(256)]


@dataclass(frozen=True)
class Options:
    """What a vocabulary is to be like.

    Attributes:
        size: how many tokens it has at most.
        min_frequency: how often a pair, or a word, comes at least.
        coverage: the share of the characters of the text that get tokens of their own.
        special: tokens that come first; one of them is for what is unknown.
        unknown: which one.
        byte_fallback: unknown characters become tokens of their bytes.
        threads: how many to use.
    """

    size: int
    min_frequency: int
    coverage: float
    special: list[str]
    unknown: str
    byte_fallback: bool
    threads: int

    @property
    def first(self) -> list[str]:
        """The tokens that no text decides about."""
        return [*self.special, *(BYTE_TOKENS if self.byte_fallback else [])]


def learn_byte_bpe(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """Byte-pair encoding of bytes, each written as a character (Radford et al. 2019)."""
    tokens, merges, _ = _native.train_bpe(
        words,
        size=options.size,
        least_count=options.min_frequency,
        alphabet="".join(BYTE_CHARACTERS),
        special=options.special,
        is_bytes=True,
        progress=progress,
    )
    return _bpe(_fitting(tokens, options), merges)


def learn_bpe(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """Byte-pair encoding of characters (Sennrich et al. 2016)."""
    tokens, merges, _ = _native.train_bpe(
        words,
        size=options.size,
        least_count=options.min_frequency,
        most_characters=len(_alphabet(words, options, MARK)),
        alphabet=MARK,
        special=options.first,
        progress=progress,
    )
    return _bpe(_fitting(tokens, options), merges) | {
        "unk_token": options.unknown,
        "fuse_unk": True,
        "byte_fallback": options.byte_fallback,
    }


def learn_wordpiece(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """WordPiece by byte-pair encoding, as the `tokenizers` package learns it."""
    tokens, _, _ = _native.train_bpe(
        words,
        size=options.size,
        least_count=options.min_frequency,
        most_characters=len(_alphabet(words, options)),
        special=options.special,
        prefix="##",
        progress=progress,
    )
    return {
        "type": "WordPiece",
        "unk_token": options.unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": _numbered(_fitting(tokens, options)),
    }


def learn_unigram(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """A Unigram language model (Kudo 2018)."""
    room = options.size - len(options.first)
    alphabet = _alphabet(words, options, MARK)
    _refuse_size(len(options.first) + len(alphabet), options)
    pieces = _native.train_unigram(
        words,
        size=room,
        alphabet="".join(map(chr, alphabet)),
        longest_piece=LONGEST_PIECE,
        threads=options.threads,
        progress=progress,
    )
    first = set(options.first)
    learnt = [[piece, score] for piece, score in pieces if piece not in first]
    return {
        "type": "Unigram",
        "unk_id": options.special.index(options.unknown),
        "vocab": [*([token, 0.0] for token in options.first), *learnt],
        "byte_fallback": options.byte_fallback,
    }


def learn_words(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """The most frequent words."""
    room = max(0, options.size - len(options.special))
    found = words.most_frequent(options.min_frequency, room)
    return {
        "type": "WordLevel",
        "vocab": _numbered([*options.special, *(word.decode() for word, _ in found)]),
        "unk_token": options.unknown,
    }


def learn_characters(words: _native.WordList, options: Options, progress: Progress) -> Document:
    """The most frequent characters, as a BPE without merges."""
    _refuse_size(len(options.first) + 1, options)
    room = options.size - len(options.first)
    frequent = sorted(words.characters(), key=lambda one: (-one[1], one[0]))[:room]
    known = [chr(code) for code, count in frequent if count >= options.min_frequency]
    return _bpe([*options.first, *sorted(known)], []) | {
        "unk_token": options.unknown,
        "byte_fallback": options.byte_fallback,
    }


def _alphabet(words: _native.WordList, options: Options, always: str = "") -> list[int]:
    """The most frequent characters that cover as much of the text as they are to, and others."""
    counted = sorted(words.characters(), key=lambda one: (-one[1], one[0]))
    wanted = options.coverage * sum(count for _, count in counted)
    kept: list[int] = []
    covered = 0
    for code, count in counted:
        if covered >= wanted:
            break
        kept.append(code)
        covered += count
    return list(dict.fromkeys([*kept, *map(ord, always)]))


def _bpe(tokens: list[str], merges: list[tuple[int, int]]) -> Document:
    return bpe_model(_numbered(tokens), [[tokens[left], tokens[right]] for left, right in merges])


def _numbered(tokens: list[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def _fitting(tokens: list[str], options: Options) -> list[str]:
    """The tokens, unless those that there have to be are too many already."""
    _refuse_size(len(tokens) if len(tokens) > options.size else 0, options)
    return tokens


def _refuse_size(needed: int, options: Options) -> None:
    if needed > options.size:
        raise ConfigError(
            f"size {options.size:,} has no room for the {needed:,} tokens that there have to be: "
            "special tokens, bytes and characters",
            allowed=f"{needed:,} or more",
            next_step="a larger size, or a smaller coverage of characters",
        )
