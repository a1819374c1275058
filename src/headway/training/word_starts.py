"""Which tokens of a vocabulary begin a word, and what each writes."""

from __future__ import annotations

import unicodedata
from weakref import WeakKeyDictionary

import regex
import torch
from torch import Tensor

from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS, bytes_of

__all__ = ["begins_words", "written"]

SPACES = (BYTE_CHARACTERS[0x20], "▁", BYTE_CHARACTERS[0x0A])
"""How tokens begin in front of which there is a space or a new line."""

WITHOUT_SPACES = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
)
"""Scripts whose words nothing parts: a token is the nearest to one."""


def begins_words(tokenizer: Tokenizer) -> Tensor:
    """Which tokens begin a word where they stand in a text, bool [vocabulary].

    Vocabularies mark either the pieces that go on with a word (WordPiece's ##) or those in front of
    which there is a space (byte-level BPE's Ġ, SentencePiece's ▁). In the second kind, what is no
    letter, digit or mark on one begins a word too, and each token of a script without spaces.
    """
    if (known := _BEGINS.get(tokenizer)) is not None:
        return known
    vocabulary = tokenizer.vocabulary
    table = torch.ones(max(vocabulary.values()) + 1, dtype=torch.bool)
    spaced = any(token.startswith(SPACES) and len(token) > 1 for token in vocabulary)
    texts = written(tokenizer)
    for token, number in vocabulary.items():
        if spaced:
            table[number] = token.startswith(SPACES) or _parts(texts[number])
        else:
            table[number] = not token.startswith("##")
    return _BEGINS.setdefault(tokenizer, table)


def written(tokenizer: Tokenizer) -> dict[int, str]:
    """What each token stands for; of byte-level vocabularies the whole characters, and \ufffd for a
    part of one."""
    bytewise = any(token.startswith(BYTE_CHARACTERS[0x20]) for token in tokenizer.vocabulary)
    found = {}
    for token, number in tokenizer.vocabulary.items():
        data = bytes_of(token) if bytewise else None
        found[number] = token if data is None else data.decode(errors="replace")
    return found


def _parts(text: str) -> bool:
    """Whether text that begins so begins a word. Parts of characters are mostly letters'."""
    first = text[:1]
    if not first or first == "\ufffd" or unicodedata.category(first) in ("Mn", "Mc", "Me", "Cf"):
        return not first
    return not first.isalnum() or WITHOUT_SPACES.match(first) is not None


_BEGINS: WeakKeyDictionary[Tokenizer, Tensor] = WeakKeyDictionary()
