"""What is true of tagged texts: the tags of their words, and the entities that rows speak of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from headway.errors import DataError
from headway.tasks.tags.entities import Span, read_spans, span_labels, spans_of_tags, tag_scheme
from headway.tasks.tags.word_places import Placed

__all__ = ["OUTSIDE", "entity_names", "is_tags", "output_numbers", "right_spans", "right_tags"]

OUTSIDE = "O"


def is_tags(answer: Any) -> bool:
    """Whether an answer is tags of words, and not spans of a text."""
    return isinstance(answer, list) and all(isinstance(tag, str) for tag in answer)


def entity_names(answers: Sequence[Any]) -> list[str]:
    """The labels of all entities, as often as they are there."""
    scheme = tag_scheme([answer for answer in answers if is_tags(answer)])
    names: list[str] = []
    for answer in answers:
        if is_tags(answer):
            places = [(n, n + 1) for n in range(len(answer))]
            names += [span.label for span in spans_of_tags(answer, places, scheme)]
        else:
            names += span_labels(answer)
    return names


def right_spans(
    texts: Sequence[Placed], answers: Sequence[Any], *, nested: bool = False
) -> list[list[Span]]:
    """The true entities of each text."""
    scheme = tag_scheme([answer for answer in answers if is_tags(answer)])
    found = []
    for row, (text, answer) in enumerate(zip(texts, answers, strict=True)):
        if is_tags(answer) and answer:
            _check_count(text, answer, row)
            found.append(spans_of_tags(answer, text.words, scheme))
        else:
            found.append(read_spans(answer, text.text, row, nested=nested))
    return found


def right_tags(texts: Sequence[Placed], answers: Sequence[Any], kind: str) -> list[list[str]]:
    """The true tag of each word of each text."""
    if kind == "tags":
        for row, (text, answer) in enumerate(zip(texts, answers, strict=True)):
            _check_count(text, answer, row)
        return [[str(tag) for tag in answer] for answer in answers]
    return [
        _tags_of(spans, text.words)
        for spans, text in zip(right_spans(texts, answers), texts, strict=True)
    ]


def output_numbers(tags: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, int]:
    """Tag -> number of the output; every tag is checked to be among them."""
    numbers = {label: number for number, label in enumerate(labels)}
    unknown = Counter(tag for row in tags for tag in row if tag not in numbers)
    if unknown:
        names = Counter(
            {tag.removeprefix("B-"): n for tag, n in unknown.items() if tag[:2] != "I-"}
        )
        shown = ", ".join(f"{name!r} ({n})" for name, n in sorted((names or unknown).items())[:10])
        raise DataError(
            f"labels that are in these rows but were not among the training labels: {shown}",
            allowed=", ".join(labels[:20]) + (", ..." if len(labels) > 20 else ""),
            next_step="give training rows with them, or take these rows out",
        )
    return numbers


def _check_count(text: Placed, tags: Sequence[Any], row: int) -> None:
    if len(tags) != len(text.words):
        raise DataError(
            f"row {row + 1} has {len(tags)} tags for {len(text.words)} words",
            allowed="one tag for each word, and the words as a list",
            next_step="name the column of words with --text",
        )


def _tags_of(spans: Sequence[Span], words: Sequence[tuple[int, int]]) -> list[str]:
    """IOB2 tags of words; an entity takes in every word that it touches."""
    tags, number = [OUTSIDE] * len(words), 0
    for span in spans:
        place = "B"
        while number < len(words) and words[number][1] <= span.start:
            number += 1
        while number < len(words) and words[number][0] < span.end:
            tags[number] = f"{place}-{span.label}"
            place, number = "I", number + 1
    return tags
