"""Words of a domain that a tokenizer cuts into pieces: which are worth a token of their own.

A word as one token shortens texts, and has a vector that can learn what it means here. To learn it
takes texts that have it: a word that hardly comes stays the mean of its pieces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headway.errors import ConfigError
from headway.tokenizer import Tokenizer
from headway.tokenizer.inside import cut_inside

__all__ = ["Word", "counted", "worth_adding"]

WORD = re.compile(r"[^\W\d_]{3,}")
"""Letters, three or more: what can be found again where it stands alone."""

RARE = 20
"""Texts' words that come less often are said to be too rare to learn."""

AT_ONCE = 4096

UNHEARD = "qxzjqvx"
"""No vocabulary has it, so that it shows what any word takes that is added."""


@dataclass(frozen=True)
class Word:
    """One word.

    Attributes:
        text: as it is to be added.
        count: how often it stands in the texts.
        pieces: that it is cut into now, behind a space.
        unknown: whether one of these stands for what the vocabulary does not know.
        whole: tokens that it takes once it is one: two where a space stays a token of its own.
    """

    text: str
    count: int
    pieces: tuple[str, ...]
    unknown: bool = False
    whole: int = 1

    @property
    def rare(self) -> bool:
        """Whether the texts have too few of it to learn it."""
        return self.count < RARE

    @property
    def saved(self) -> int:
        """Tokens fewer in the texts, once it is one; of one that is not known now, how often it is
        there."""
        return self.count * max(len(self.pieces) - self.whole, int(self.unknown))


def counted(tokenizer: Tokenizer, words: Sequence[str], texts: Iterable[str]) -> list[Word]:
    """How often each word stands in texts, and how it is cut; in the order given.

    Case does not count where the tokenizer does not see it.
    """
    counts = _counts(tokenizer, texts)
    return _cut(tokenizer, [(word, counts[_seen(tokenizer, word)]) for word in words])


def worth_adding(
    tokenizer: Tokenizer, texts: Iterable[str], *, most: int, least: int = RARE
) -> list[Word]:
    """The words whose tokens would shorten the texts most, those first that save the most.

    Args:
        tokenizer: of the model.
        texts: of the domain.
        most: words.
        least: how often one has to stand in the texts.

    Raises:
        ConfigError: a number below 1.
    """
    for name, value in (("most", most), ("least", least)):
        if value < 1:
            raise ConfigError(f"{name} = {value}", allowed="1 or more")
    often = [(word, count) for word, count in _counts(tokenizer, texts).items() if count >= least]
    found = [word for word in _cut(tokenizer, often) if word.saved]
    return sorted(found, key=lambda word: (-word.saved, word.text))[:most]


def _counts(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        found.update(WORD.findall(text))
    folded: Counter[str] = Counter()
    for word, count in found.items():
        folded[_seen(tokenizer, word)] += count
    return folded


def _seen(tokenizer: Tokenizer, word: str) -> str:
    """A word as the tokenizer tells it from others: without case where it has none."""
    lower = word.lower()
    if lower == word:
        return word
    same = tokenizer.encode(word, special=False).ids == tokenizer.encode(lower, special=False).ids
    return lower if same else word


def _cut(tokenizer: Tokenizer, words: Sequence[tuple[str, int]]) -> list[Word]:
    found, unknown = [], tokenizer.special_ids.get("unk")
    (whole,) = map(len, cut_inside(tokenizer.with_words([UNHEARD]), [UNHEARD]))
    for start in range(0, len(words), AT_ONCE):
        some = words[start : start + AT_ONCE]
        for (text, count), one in zip(
            some, cut_inside(tokenizer, [text for text, _ in some]), strict=True
        ):
            found.append(Word(text, count, tuple(one.tokens), unknown in one.ids, whole))
    return found
