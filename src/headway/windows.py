"""Texts of any length as windows that a model can take: nothing is cut off, and it is said."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeGuard

from headway.errors import ConfigError, TokenizerError
from headway.tokenizer import Encoding, Tokenizer

__all__ = [
    "TextOrPair",
    "Windowed",
    "default_stride",
    "is_pair",
    "window_beside",
    "window_texts",
]

TextOrPair = str | tuple[str, str]
"""A text, or a text and a second one."""


@dataclass(frozen=True)
class Windowed:
    """One text (or pair of texts) as the model reads it.

    Attributes:
        ids: token ids of each window, special tokens included.
        segments: 0 or 1 for each of them (first text, second text).
        tokens: how many tokens the text has, special tokens not counted.
        places: the windows as the tokenizer made them, with the place of every token in the text;
            empty where nobody asked.
    """

    ids: list[list[int]]
    segments: list[list[int]]
    tokens: int
    places: list[Encoding] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Tokens of all windows together: what it costs to read."""
        return sum(map(len, self.ids))

    @property
    def longest(self) -> int:
        """Tokens of the longest text that is read as one."""
        return self.tokens

    @property
    def most_windows(self) -> int:
        """How many windows such a text takes at most."""
        return len(self.ids)

    def drawn(self, chance: Random, most: int | None) -> list[int]:
        """Numbers of the windows that take part in a step of training, at most so many."""
        count = len(self.ids)
        return sorted(chance.sample(range(count), min(most or count, count)))

    def report(self) -> dict[str, int]:
        """What a prediction says of its input: every token is used, in so many windows."""
        return {"used": self.tokens, "total": self.tokens, "windows": len(self.ids)}


def default_stride(size: int) -> int:
    """How many tokens neighbouring windows share: an eighth of a window."""
    return size // 8


def window_texts(
    tokenizer: Tokenizer,
    texts: Iterable[TextOrPair],
    *,
    size: int | None,
    stride: int | None = None,
    allow: bool = True,
    first: int = 0,
    places: bool = False,
    cut: int | None = None,
) -> list[Windowed]:
    """Encodes texts, each in as many overlapping windows as it needs.

    Of a pair one text is cut, and the other one is whole in every window. An empty text gives one
    window of special tokens.

    Args:
        tokenizer: of the model.
        texts: texts, or (text, second text) pairs.
        size: most tokens of a window, special tokens included; None = no limit.
        stride: tokens that neighbouring windows share; None = an eighth of a window, and beside a
            second text a quarter of the room that it leaves.
        allow: whether a text may take more than one window; else it is an error.
        first: number of the first text, where these are some of more.
        places: whether to keep where each token stands, which takes memory.
        cut: which text of a pair is cut, 0 or 1; None = the longer one.

    Raises:
        TokenizerError: a text that cannot be encoded, a pair whose whole side fills a window; the
            message names the text's number, counted from `first`.
        ConfigError: a text has no tokens at all, is no text, or is too long and windows are not
            allowed.
    """
    found = []
    for number, (text, pair) in enumerate(_pairs(texts, first), first):
        try:
            windows, tokens = _read(tokenizer, text, pair, size, stride, cut)
        except TokenizerError as error:
            raise TokenizerError(
                f"text {number}: {error.problem}", allowed=error.allowed, next_step=error.next_step
            ) from error
        if len(windows) > 1 and not allow:
            raise ConfigError(
                f"text {number} needs {len(windows)} windows",
                allowed=f"at most {size} tokens",
                next_step="allow windows, or shorten it",
            )
        ids = [list(window.ids) for window in windows]
        if not all(ids):
            raise ConfigError(
                f"text {number}, {text!r:.40}, has no tokens, and the tokenizer adds none",
                next_step="leave it out, or write something in its place",
            )
        segments = [list(window.type_ids) for window in windows]
        found.append(Windowed(ids, segments, tokens, windows if places else []))
    return found


def window_beside(
    tokenizer: Tokenizer,
    texts: Iterable[str],
    sides: Sequence[Encoding],
    *,
    size: int | None,
    stride: int | None = None,
    first: int = 0,
) -> list[list[Windowed]]:
    """Every text beside each of some second texts; each of them all is tokenized once.

    The text is cut where it is long, and the second one is whole in every window.

    Args:
        tokenizer: of the model.
        texts: the first texts.
        sides: the second ones, as `tokenizer.side(text, 1)` gives them.
        size: most tokens of a window, special tokens included; None = no limit.
        stride: tokens that neighbouring windows share; None = a quarter of the room that the second
            text leaves.
        first: number of the first text, where these are some of more.

    Returns:
        For each text, its pair with each second one; `tokens` are those of the text alone.

    Raises:
        TokenizerError: a text that cannot be encoded, or a second one that fills a window; the
            message names the text's number, counted from `first`.
    """
    found = []
    for number, text in enumerate(texts, first):
        try:
            side = tokenizer.side(text, 0)
            read = [
                tokenizer.windows(side, size or sys.maxsize, pair=other, stride=stride, cut=0)
                for other in sides
            ]
        except TokenizerError as error:
            raise TokenizerError(
                f"text {number}: {error.problem}", allowed=error.allowed, next_step=error.next_step
            ) from error
        found.append(
            [
                Windowed([one.ids for one in pair], [one.type_ids for one in pair], len(side))
                for pair in read
            ]
        )
    return found


def _pairs(texts: Iterable[TextOrPair], first: int) -> Iterator[tuple[str, str | None]]:
    if isinstance(texts, str):
        raise ConfigError("one text where a list of texts is wanted", next_step="write [text]")
    for number, item in enumerate(texts, first):
        if isinstance(item, str):
            yield item, None
        elif is_pair(item):
            yield item
        else:
            raise ConfigError(
                f"text {number} is {item!r:.60}", allowed="a text, or a pair of two texts"
            )


def is_pair(item: object) -> TypeGuard[tuple[str, str]]:
    """Whether something is two texts."""
    sides = item if isinstance(item, (tuple, list)) else ()
    return len(sides) == 2 and all(isinstance(side, str) for side in sides)


def _read(
    tokenizer: Tokenizer,
    text: str,
    pair: str | None,
    size: int | None,
    stride: int | None,
    cut: int | None,
) -> tuple[list[Encoding], int]:
    """The windows of a text, and how many tokens of its own it has."""
    if size is None:
        windows = [tokenizer.encode(text, pair)]
    else:
        if stride is None and pair is None:
            stride = default_stride(size)
        windows = tokenizer.windows(text, size, pair=pair, stride=stride, cut=cut)
    if pair is not None and len(windows) > 1:
        return windows, len(tokenizer.encode(text, pair, special=False))
    read = sum(len(window) - sum(window.special_mask) for window in windows)
    return windows, read - (len(windows) - 1) * (stride or 0)
