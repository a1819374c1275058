"""The simplest tagger: every word has the tag that it has most often."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from headway.tasks.tags.paths import Tagged
from headway.tasks.tags.truth import OUTSIDE
from headway.tasks.tags.word_places import Placed, joined_places

__all__ = ["in_words", "usual_tags"]

WORD = re.compile(r"\w+|[^\w\s]")


def in_words(inputs: Sequence[str | list[str]]) -> list[Placed]:
    """Texts with their words, and no tokens."""
    found = []
    for given in inputs:
        if isinstance(given, str):
            text, places = given, [match.span() for match in WORD.finditer(given)]
        else:
            text, places = " ".join(given), joined_places(given)
        found.append(Placed([], [], 0, text=text, words=places, speakers=[None] * len(places)))
    return found


def usual_tags(
    learned: Sequence[Placed], tags: Sequence[Sequence[str]], texts: Sequence[Placed], kind: str
) -> list[Tagged]:
    """The tag that each word of some texts has most often in others, whatever its case.

    Args:
        learned: the others, with the `tags` of their words.
        texts: those to be tagged. A word that is new is outside of all entities, or has the most
            frequent tag.
        kind: of answers.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for text, row in zip(learned, tags, strict=True):
        for word, tag in zip(_words(text), row, strict=True):
            counts[word][tag] += 1
    every: Counter[str] = sum(counts.values(), Counter())
    usual = OUTSIDE if kind == "entities" else every.most_common(1)[0][0]
    best = {word: row.most_common(1)[0][0] for word, row in counts.items()}
    found = [[best.get(word, usual) for word in _words(text)] for text in texts]
    return [Tagged(row, [1.0] * len(row)) for row in found]


def _words(text: Placed) -> list[str]:
    return [text.text[start:end].casefold() for start, end in text.words]
