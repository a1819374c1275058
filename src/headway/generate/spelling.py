"""The bytes that each token stands for in a text, as guides need them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from headway.errors import ConfigError
from headway.tokenizer import Tokenizer
from headway.tokenizer.byte_alphabet import bytes_of
from headway.tokenizer.decoders import byte_of

__all__ = ["Spelling", "spelling_of"]

TRIES = 40
"""Texts of random tokens that must be what their tokens spell."""


@dataclass(frozen=True, eq=False)
class Spelling:
    """What tokens write; b"" for special tokens and for numbers without a token.

    Attributes:
        first: bytes of each token at the start of a text.
        later: bytes of each token behind another one.
    """

    first: list[bytes]
    later: list[bytes]


_known: WeakKeyDictionary[Tokenizer, Spelling] = WeakKeyDictionary()


def spelling_of(tokenizer: Tokenizer) -> Spelling:
    """The spelling of a tokenizer's tokens.

    Raises:
        ConfigError: its texts are not what its tokens spell one after the other.
    """
    if tokenizer not in _known:
        _known[tokenizer] = _spelt(tokenizer)
    return _known[tokenizer]


def _spelt(tokenizer: Tokenizer) -> Spelling:
    size = max(tokenizer.vocabulary.values(), default=-1) + 1
    before = _anchor(tokenizer, size)
    shown = tokenizer.decode([before])
    first, later = [], []
    for id in range(size):
        alone, behind = tokenizer.decode([id]), tokenizer.decode([before, id])
        if "\ufffd" in alone or "\ufffd" in behind or not behind.startswith(shown):
            spelt = _bytes_of(tokenizer.token(id) or "")
            first.append(spelt)
            later.append(spelt)
        else:
            first.append(alone.encode())
            later.append(behind[len(shown) :].encode())
    made = Spelling(first, later)
    _check(tokenizer, made)
    return made


def _anchor(tokenizer: Tokenizer, size: int) -> int:
    """A token that stands unchanged before others: a few plain letters."""
    for id in range(size):
        text = tokenizer.decode([id])
        if text.isascii() and text.isalnum() and tokenizer.decode([id, id]).startswith(text):
            return id
    raise ConfigError(
        "this tokenizer has no token of plain letters", next_step="write without a constraint"
    )


def _bytes_of(token: str) -> bytes:
    """Of a token that is a part of a character."""
    byte = byte_of(token)
    return bytes([byte]) if byte is not None else bytes_of(token) or b""


def _check(tokenizer: Tokenizer, spelling: Spelling) -> None:
    draw = random.Random(0)
    able = [id for id, spelt in enumerate(spelling.later) if spelt and spelling.first[id]]
    for _ in range(TRIES):
        ids = draw.choices(able, k=4)
        data = spelling.first[ids[0]] + b"".join(spelling.later[id] for id in ids[1:])
        text = tokenizer.decode(ids)
        if "\ufffd" not in text and text.encode() != data:
            raise ConfigError(
                f"this tokenizer writes {text!r} where its tokens spell {data!r}",
                allowed="constraints on texts that are their tokens, one after the other",
                next_step="write without a constraint",
            )
