"""Answers that stand in a text: how columns write them, and where they really stand.

{"text": [...], "answer_start": [...]}   as SQuAD's readers give them; empty lists: no answer
[{"text": ..., "answer_start": ...}]     as SQuAD's own files have them
["a text", ...], "a text"                without places: each has to stand once in its context
None, "", []                             no answer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["START", "TEXT", "answer_texts", "given_answers", "located", "trimmed", "wrong_answers"]

TEXT, START = "text", "answer_start"

Given = tuple[str, int | None]
"""A text, and the character of the context where it is said to start."""


def given_answers(value: Any) -> list[Given]:
    """The answers of a row that `wrong_answers` has nothing to say of; without white space around.

    >>> given_answers({"text": [" 308"], "answer_start": [33]}), given_answers(None)
    ([('308', 34)], [])
    """
    return [trimmed(text, start) for text, start in _pairs(value) if text.strip()]


def trimmed(text: str, start: int | None) -> Given:
    """A text without white space at its ends, and where that starts."""
    inner = text.strip()
    return inner, None if start is None else start + len(text) - len(text.lstrip())


def answer_texts(value: Any) -> list[str]:
    """The texts alone.

    >>> answer_texts([{"text": "a cat", "answer_start": 3}])
    ['a cat']
    """
    return [text for text, _ in given_answers(value)]


def wrong_answers(value: Any) -> str:
    """Why a value is no answers, or an empty string.

    >>> wrong_answers({"text": ["a", "b"], "answer_start": [1]})
    '2 texts of answers and 1 starts'
    >>> wrong_answers(7)
    '7 is no answer'
    """
    if isinstance(value, Mapping):
        if TEXT not in value:
            return f"{dict(value)!r:.60} has no {TEXT!r}"
        texts, starts = _listed(value[TEXT]), _listed(value.get(START))
        if starts and len(texts) != len(starts):
            return f"{len(texts)} texts of answers and {len(starts)} starts"
    try:
        _pairs(value)
    except (TypeError, ValueError, KeyError):
        return f"{value!r:.60} is no answer"
    return ""


def located(context: str, text: str, start: int | None) -> int | None:
    """Where an answer starts: as said, or in the one place where it stands; None = unclear.

    >>> located("a cat, a dog", "cat", 2), located("a cat, a dog", "dog", 5)
    (2, 9)
    >>> located("a cat, a dog", "a", 1) is None
    True
    """
    if start is not None and context.startswith(text, start):
        return start
    first = context.find(text)
    return first if first >= 0 and context.find(text, first + 1) < 0 else None


def _pairs(value: Any) -> list[Given]:
    """Texts and starts, whatever the form."""
    if isinstance(value, Mapping):
        texts = _listed(value[TEXT])
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        starts = _listed(value.get(START)) or [None] * len(texts)
        return [(text, _whole(start)) for text, start in zip(texts, starts, strict=True)]
    if value is None or isinstance(value, str):
        return [] if value is None else [(value, None)]
    if not isinstance(value, Sequence):
        raise TypeError
    return [pair for one in value for pair in _pairs(one)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _whole(start: Any) -> int | None:
    """A start as a number; tables that have gaps hold 34 as 34.0, and some write -1 for none."""
    if start is None or start != start or start == -1:
        return None
    if isinstance(start, bool) or int(start) != start or start < 0:
        raise ValueError
    return int(start)
