"""Entities in a text: labelled spans of characters, as rows have them and as tags say them.

Rows have them as lists of {"start", "end", "label"} (in characters; the end is behind the last),
as the same in JSON text, or as tags of words in any scheme of `metrics.ENTITY_SCHEMES`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from headway.errors import DataError
from headway.metrics.entities import entities

__all__ = [
    "Span",
    "overlapping",
    "read_spans",
    "span_labels",
    "spans_of_tags",
    "tag_scheme",
    "wrong_spans",
]

LABELS = ("label", "type", "tag", "entity", "entity_group")
"""What a span's label is called; the first that is there counts."""

JOINER = "\u200d"


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A labelled stretch of a text.

    Attributes:
        start, end: in characters; the end is behind the last.
        label: what it is.
    """

    start: int
    end: int
    label: str


def wrong_spans(answer: Any) -> str:
    """Why an answer is no list of spans, or an empty string; the text is not needed for it.

    >>> wrong_spans([{"start": 0, "end": 4, "label": "PER"}]), wrong_spans([{"start": 0}])
    ('', "{'start': 0} has no end and no label")
    """
    try:
        listed = _listed(answer)
    except ValueError as error:
        return str(error)
    for one in listed:
        if isinstance(one, Mapping):
            lacking = [name for name in ("start", "end") if one.get(name) is None]
            lacking += [] if any(one.get(name) is not None for name in LABELS) else ["label"]
            if lacking:
                return f"{one!r:.80} has no {' and no '.join(lacking)}"
            start, end = one["start"], one["end"]
        elif isinstance(one, (list, tuple)) and len(one) == 3:
            start, end, _ = one
        else:
            return f"{one!r:.80} is no span"
        if not all(type(place) is int for place in (start, end)):
            return f"{one!r:.80}: start and end are not whole numbers"
    return ""


def read_spans(answer: Any, text: str, row: int, *, nested: bool = False) -> list[Span]:
    """The spans of one row, in order, without white space at their ends.

    Args:
        answer: one that `wrong_spans` has nothing to say of.
        text: the row's.
        row: its number, for messages.
        nested: whether entities may share characters.

    Raises:
        DataError: a span outside the text, without characters, one that begins or ends inside a
            character (between a letter and its accent), or, unless `nested`, two that overlap.

    >>> read_spans([{"start": 0, "end": 5, "label": "PER"}], "John lives", 0)
    [Span(start=0, end=4, label='PER')]
    """
    found = sorted(_span(one, text, row) for one in _listed(answer))
    for one, other in pairwise(found):
        if other.start < one.end and not nested:
            raise DataError(
                f"row {row + 1}: the entities {_shown(one, text)} and {_shown(other, text)} "
                "overlap",
                allowed="entities that share no character",
                next_step="keep one of the two, or ask for kind = nested-entities (--kind)",
            )
    return found


def overlapping(answer: Any) -> bool:
    """Whether two spans of an answer share a character; False for what is no list of spans.

    >>> overlapping([{"start": 0, "end": 4, "label": "A"}, {"start": 2, "end": 3, "label": "B"}])
    True
    """
    if isinstance(answer, (list, tuple)) and all(isinstance(one, str) for one in answer):
        return False
    if answer is None or wrong_spans(answer):
        return False
    ends = [
        (one["start"], one["end"]) if isinstance(one, Mapping) else one[:2]
        for one in _listed(answer)
    ]
    ends.sort()
    return any(other[0] < one[1] for one, other in pairwise(ends))


def span_labels(answer: Any) -> list[str]:
    """What the spans of an answer are called, as often as they are there.

    >>> span_labels([{"start": 0, "end": 4, "label": "PER"}])
    ['PER']
    """
    return [_label(one) for one in _listed(answer)]


def _label(one: Any) -> str:
    if isinstance(one, Mapping):
        return str(next(one[name] for name in LABELS if one.get(name) is not None))
    return str(one[2])


def _listed(answer: Any) -> Sequence[Any]:
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            raise ValueError(f"{answer!r:.60} is no list of spans") from None
    if not isinstance(answer, (list, tuple)):
        raise ValueError(f"{answer!r:.60} is no list of spans")
    return answer


def _span(one: Any, text: str, row: int) -> Span:
    start, end = (one["start"], one["end"]) if isinstance(one, Mapping) else one[:2]
    label = _label(one)
    if not 0 <= start < end <= len(text):
        raise DataError(
            f"row {row + 1}: the entity {label!r} from {start} to {end}",
            allowed=f"places in the text, from 0 to {len(text)}, the end behind the start",
            next_step="count in characters, not in bytes or words",
        )
    for place in (start, end):
        if _inside_character(text, place):
            raise DataError(
                f"row {row + 1}: the entity {label!r} from {start} to {end} cuts the character "
                f"{text[place - 1 : place + 1]!r}",
                allowed="places between characters as people see them",
                next_step="move the place behind the letter's accents",
            )
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        raise DataError(f"row {row + 1}: the entity {label!r} is white space only")
    return Span(start, end, label)


def _inside_character(text: str, place: int) -> bool:
    """Whether what people see as one character goes on over a place.

    Source: Unicode annex 29, the rules GB4 and GB9 for marks and joiners.
    """
    if not 0 < place < len(text):
        return False
    mark = unicodedata.category(text[place]).startswith("M") and not text[place - 1].isspace()
    return mark or JOINER in (text[place - 1], text[place])


def _shown(span: Span, text: str) -> str:
    return f"{text[span.start : span.end]!r:.40} ({span.label}, {span.start} to {span.end})"


def tag_scheme(rows: Iterable[Sequence[str]]) -> str:
    """The scheme that tags are written in, by the letters and how entities begin.

    IOB2 (BIO) where B begins every entity, IOB1 where some begin with I, BILOU, IOBES, IOE2, BMES
    by their letters.

    >>> tag_scheme([["B-PER", "I-PER", "O"]]), tag_scheme([["I-PER", "I-PER"]])
    ('IOB2', 'IOB1')
    >>> tag_scheme([["B-PER", "L-PER", "U-LOC"]])
    'BILOU'
    """
    letters: set[str] = set()
    bare_start = False
    for row in rows:
        before = "O"
        for tag in row:
            letters.add(tag[:1])
            if tag[:1] == "I" and (before[:1] == "O" or before[2:] != tag[2:]):
                bare_start = True
            before = tag
    if letters & {"L", "U"}:
        return "BILOU"
    if "M" in letters:
        return "BMES"
    if "S" in letters:
        return "IOBES"
    if "E" in letters:
        return "IOBES" if "B" in letters else "IOE2"
    return "IOB1" if bare_start else "IOB2"


def spans_of_tags(tags: Sequence[str], words: Sequence[tuple[int, int]], scheme: str) -> list[Span]:
    """The spans that tags of words stand for.

    Args:
        tags: one a word, of the scheme.
        words: where each stands, (start, end) in characters.
        scheme: key of ENTITY_SCHEMES.

    >>> spans_of_tags(["B-PER", "I-PER", "O"], [(0, 4), (5, 8), (9, 10)], "IOB2")
    [Span(start=0, end=8, label='PER')]
    """
    return [
        Span(words[first][0], words[last - 1][1], label)
        for label, first, last in entities(list(tags), scheme=scheme)
    ]
