"""What models give: tokens of one piece of text, and a memory of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

__all__ = ["Model", "Piece", "WordCache"]


class Piece(NamedTuple):
    """One token of a piece of text: id, what it is shown as, and the characters it covers."""

    id: int
    token: str
    start: int
    end: int


class Model(Protocol):
    """What the pipeline needs of a model."""

    vocabulary: dict[str, int]

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of a text that is not empty, from left to right."""


class WordCache:
    """Remembers the tokens of short texts, up to a bounded number of them."""

    def __init__(self, tokenize: Callable[[str], list[Piece]], *, size: int = 50_000) -> None:
        self._tokenize, self._size = tokenize, size
        self._known: dict[str, list[Piece]] = {}

    def __call__(self, text: str) -> list[Piece]:
        """The tokens of a text; the list is shared and must not be changed."""
        known = self._known.get(text)
        if known is None:
            known = self._tokenize(text)
            if len(text) <= 256:
                if len(self._known) >= self._size:
                    self._known.clear()
                self._known[text] = known
        return known
