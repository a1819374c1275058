"""How words are cut where they stand in a text, behind a space."""

from __future__ import annotations

from collections.abc import Sequence

from headway.tokenizer.encoding import Encoding
from headway.tokenizer.tokenizer import Tokenizer

__all__ = ["cut_inside", "own_pieces"]

BEFORE = "a "
"""What stands before a word: vocabularies that mark spaces cut it otherwise where a text begins."""


def cut_inside(tokenizer: Tokenizer, words: Sequence[str]) -> list[Encoding]:
    """The tokens of each word, that of the space before it included where it is one of its own.

    >>> from headway import train_tokenizer
    >>> (cut,) = cut_inside(train_tokenizer(iter(["a tab a tab a"]), kind="byte-bpe", size=262),
    ...                     ["tabs"])
    >>> cut.tokens
    ['Ġtab', 's']
    """
    found = []
    for one in tokenizer.encode_batch([BEFORE + word for word in words], special=False):
        first = next(
            (n for n, (_, end) in enumerate(one.offsets) if end >= len(BEFORE)), len(one.ids)
        )
        found.append(one.slice(first, len(one.ids)))
    return found


def own_pieces(cut: Encoding) -> list[int]:
    """The tokens of what `cut_inside` gives that are more than the space."""
    return [id for id, (_, end) in zip(cut.ids, cut.offsets, strict=True) if end > len(BEFORE)]
