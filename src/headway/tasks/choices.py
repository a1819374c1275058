"""Rows with choices: their columns, and what a model is asked.

A row has a context and choices, and maybe a beginning that each choice goes on from: the question
about an article, the first words of an ending. Choices are a list column, an object of lists
{"text": [...], "label": [...]}, or columns that are numbered (ending0, ending1, ...; answerA, ...).
The right one is told by its text, its letter or number (that object's `label`, or A, B, ...), or
its index.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from headway.data import Columns, Dataset
from headway.data.named_column import named_column, one_of_splits
from headway.errors import DataError
from headway.tasks.inputs import strings_of

__all__ = ["Asked", "ChoiceColumns", "asked_of", "choice_columns", "each_asked"]

CONTEXTS = (
    *("context", "article", "passage", "paragraph", "story", "premise", "sent1", "ctx"),
    *("question", "question_stem", "goal", "sentence", "query", "prompt", "text"),
)
BEGINNINGS = ("question", "sent2", "query")
CHOICES = ("choices", "options", "endings", "candidates", "answers")
NUMBERED = re.compile(
    r"(choice|ending|option|answer|candidate|hypothesis|solution|sol)[ _]?([0-9]+|[a-h])"
)
LABELS = (
    "label",
    "answer",
    "answerkey",
    "answer_key",
    "correct",
    "correct_answer",
    "gold",
    "labels",
)
"""How people call the columns, the most telling first."""

_AT_ONCE = 4096


class Asked(NamedTuple):
    """What is chosen for, and from what."""

    context: str
    choices: tuple[str, ...]
    beginning: str = ""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The context beside each choice, with the beginning before it.

        >>> Asked("It rains.", ("cats", "hard"), "It rains").pairs[1]
        ('It rains.', 'It rains hard')
        """
        return [(self.context, f"{self.beginning} {one}".strip()) for one in self.choices]


@dataclass(frozen=True, slots=True)
class ChoiceColumns(Columns):
    """Columns of rows with choices; `pair` is the beginning.

    choices: the list column, or the numbered ones.
    first: what the first choice is called where labels are numbers: 0, or 1.
    """

    choices: tuple[str, ...] = ()
    first: int = 0

    @property
    def texts(self) -> list[str]:
        return [name for name in (self.text, self.pair, *self.choices) if name is not None]

    def answers(self, data: Dataset) -> list[Any]:
        """Indexes of the right choices; of a label that is none, how it is written, or None."""
        if self.label is None:
            return [None] * len(data)
        listed = _listed(data, self)
        names = _letters(data, self)
        rows = zip(data[self.label], listed, names, strict=True)
        return [_index(label, choices, called, self.first) for label, choices, called in rows]


def choice_columns(
    data: Dataset | Mapping[str, Dataset],
    *,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> ChoiceColumns:
    """Which columns hold context (`text`), choices and labels; `pair` names a list of choices, or
    the text that each choice goes on from.

    Raises:
        DataError: one of them is not there.
    """
    first = one_of_splits(data)
    if pair is not None:
        named_column(data, pair, (), what="", option="--pair")
    given = pair if pair is not None and _is_listed(first, pair) else None
    choices = _choices(first, given)
    context = named_column(data, text, CONTEXTS, what="context", option="--text")
    beginning = pair if given is None else None
    if beginning is None:
        names = {name.casefold(): name for name in first.column_names if name != context}
        beginning = next((names[name] for name in BEGINNINGS if name in names), None)
    parts = [f"context column {context!r}"]
    if beginning is not None:
        parts.append(f"then column {beginning!r}")
    parts.append(f"choices {', '.join(map(repr, choices))}")
    if not labelled:
        said = ", ".join(parts)
        return ChoiceColumns(context, beginning, None, said, context, choices)
    right = named_column(data, label, LABELS, what="label", option="--label")
    found = ChoiceColumns(context, beginning, right, "", context, choices)
    start = _first_number(first, found)
    parts.append(f"label column {right!r}" + (", which counts from 1" if start else ""))
    return ChoiceColumns(context, beginning, right, ", ".join(parts), context, choices, start)


def asked_of(data: Dataset, columns: Columns, *, before: int = 0) -> list[Asked]:
    """What is asked in each row; `before` rows come before these, for messages.

    Raises:
        DataError: a row without a choice, or a column that holds something else than texts.
    """
    assert isinstance(columns, ChoiceColumns)
    contexts = strings_of(data, columns.text, before=before)
    beginnings = [""] * len(data)
    if columns.pair is not None:
        beginnings = strings_of(data, columns.pair, before=before)
    listed = _listed(data, columns)
    for number, choices in enumerate(listed, before):
        if not choices or not all(isinstance(one, str) for one in choices):
            raise DataError(
                f"columns {', '.join(columns.choices)}, row {number + 1}: the choices are "
                f"{choices!r:.60}",
                allowed="one text or more",
                next_step="correct the row or take it out",
            )
    rows = zip(contexts, listed, beginnings, strict=True)
    return [Asked(context, tuple(choices), beginning) for context, choices, beginning in rows]


def each_asked(data: Dataset) -> Iterator[Asked]:
    """The same one by one, in memory that does not grow with the rows; columns are guessed."""
    columns = choice_columns(data, labelled=False)
    for start in range(0, len(data), _AT_ONCE):
        yield from asked_of(data[start : start + _AT_ONCE], columns, before=start)


def _choices(data: Dataset, given: str | None) -> tuple[str, ...]:
    """The column of lists, or those of numbered choices in their order."""
    if given is not None:
        return (given,)
    names = {name.casefold(): name for name in data.column_names}
    for name in CHOICES:
        if name in names and _is_listed(data, names[name]):
            return (names[name],)
    kinds: dict[str, list[tuple[int, str, str]]] = {}
    for name in data.column_names:
        if match := NUMBERED.fullmatch(name.casefold()):
            kinds.setdefault(match[1], []).append((len(match[2]), match[2], name))
    several = [tuple(name for *_, name in sorted(found)) for found in kinds.values()]
    best = max(several, key=len, default=())
    if len(best) < 2:
        raise DataError(
            f"{data.name or 'the data set'} has no choices",
            allowed="a column of lists called choices or options, or columns choice1, choice2, ...",
            next_step=f"--pair COL, one of {', '.join(data.column_names)}",
        )
    return best


def _is_listed(data: Dataset, name: str) -> bool:
    """Whether a column holds lists, or objects with a list of texts."""
    kind = data.column(name).type
    if pa.types.is_struct(kind):
        return kind.get_field_index("text") >= 0
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _listed(data: Dataset, columns: ChoiceColumns) -> list[list[Any]]:
    """The choices of each row; missing ones at the end are not there, others are empty."""
    if len(columns.choices) == 1:
        values = data[columns.choices[0]]
        rows = [value["text"] if isinstance(value, Mapping) else value for value in values]
        return [_without_gaps(row or (), (None,)) for row in rows]
    several = zip(*(data[name] for name in columns.choices), strict=True)
    # A table of texts has no other way to say that a row has fewer.
    return [_without_gaps(row, (None, "")) for row in several]


def _without_gaps(row: Sequence[Any], absent: tuple[Any, ...]) -> list[Any]:
    kept = list(row)
    while kept and kept[-1] in absent:
        kept.pop()
    return ["" if one is None else one for one in kept]


def _letters(data: Dataset, columns: ChoiceColumns) -> list[list[str]]:
    """What a row calls its choices: as it says itself, else nothing."""
    if len(columns.choices) > 1:
        return [[]] * len(data)
    return [
        list(map(str, value.get("label") or ())) if isinstance(value, Mapping) else []
        for value in data[columns.choices[0]]
    ]


def _first_number(data: Dataset, columns: ChoiceColumns) -> int:
    """1 where labels are numbers, none is 0 and one is as large as there are choices."""
    assert columns.label is not None
    labels, listed = data[columns.label], _listed(data, columns)
    numbers = [
        (_number(label), len(choices))
        for label, choices in zip(labels, listed, strict=True)
        if label is not None and label not in choices
    ]
    if not numbers or any(number is None or number < 1 for number, _ in numbers):
        return 0
    return int(any(number == count for number, count in numbers))


def _index(label: Any, choices: Sequence[str], called: Sequence[str], first: int) -> Any:
    if label is None:
        return None
    if label in choices:
        return list(choices).index(label)
    if str(label) in called:
        return list(called).index(str(label))
    number = _number(label)
    if number is not None:
        number -= first
    elif isinstance(label, str) and len(label) == 1 and label.upper() in string.ascii_uppercase:
        number = string.ascii_uppercase.index(label.upper())
    fits = number is not None and 0 <= number < len(choices)
    return number if fits else f"{label}"


def _number(label: Any) -> int | None:
    """A label as a whole number, or None."""
    if isinstance(label, str):
        return int(label) if label.strip().isdecimal() else None
    if isinstance(label, (int, float)) and label == label and int(label) == label:
        return int(label)
    return None
