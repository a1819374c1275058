"""What a tokenizer puts around a text."""

from __future__ import annotations

from headway.tokenizer.tokenizer import Tokenizer

__all__ = ["special_around"]


def special_around(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The special tokens before a text and behind it.

    >>> from headway.tokenizer import Tokenizer
    >>> special_around(Tokenizer.from_document({
    ...     "post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]},
    ...     "model": {"type": "WordLevel", "unk_token": "a", "vocab": {"a": 0}},
    ... }))
    ([2], [3])
    """
    whole = tokenizer.encode("a")
    own = [place for place, mark in enumerate(whole.special_mask) if not mark] or [0]
    return list(whole.ids[: own[0]]), list(whole.ids[own[-1] + 1 :])
