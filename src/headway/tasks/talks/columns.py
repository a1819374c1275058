"""Rows of dialogues: their columns, what is said in each, and its text with marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headway.data import Columns, Dataset
from headway.data.named_column import named_column, one_of_splits
from headway.errors import DataError

__all__ = [
    "MARKS",
    "Answer",
    "DialogueColumns",
    "Said",
    "dialogue_columns",
    "each_said",
    "marked",
    "said_of",
    "texts_in",
]

PERSONA, OTHER, SELF = MARKS = ("<persona>", "<speaker1>", "<speaker2>")
"""Before what is known of who replies, before the other's utterances, and before one's own."""

HISTORIES = ("history", "context", "dialogue_history", "utterances")
PERSONAS = ("persona", "personality", "profile")
REPLIES = ("reply", "response", "answer", "target")
CANDIDATES = ("candidates", "options")
GROUPS = ("dialogue", "dialogue_id", "dialog_id")
"""How people call the columns, the most telling first."""

_AT_ONCE = 4096


class Said(NamedTuple):
    """What a reply is made from, and what it could be.

    Attributes:
        history: utterances of two who take turns, the last one the other's.
        persona: what is known of who replies.
        candidates: replies to choose from, or none.
        reply: the right one, to be measured by; None where it is not known.
    """

    history: tuple[str, ...]
    persona: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    reply: str | None = None


class Answer(NamedTuple):
    """The reply of a row, and what stands beside it."""

    text: Any
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DialogueColumns(Columns):
    """Columns of dialogues: `text` is the history, `pair` the persona, `label` the reply."""

    candidates: str | None = None

    def answers(self, data: Dataset) -> list[Any]:
        """An Answer a row, or None where replies are not known."""
        if self.label is None:
            return [None] * len(data)
        rows = zip(data[self.label], _lists(data, self.candidates, 0), strict=True)
        return [Answer(text, candidates) for text, candidates in rows]


def dialogue_columns(
    data: Dataset | Mapping[str, Dataset],
    *,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> DialogueColumns:
    """Which columns hold history (`text`), persona (`pair`), reply (`label`) and candidates.

    Raises:
        DataError: a column is not there.
    """
    first = one_of_splits(data)
    history = named_column(data, text, HISTORIES, what="history", option="--text")
    names = {name.casefold(): name for name in first.column_names if name != history}
    if pair is not None:
        named_column(data, pair, (), what="persona", option="--pair")
    persona, candidates, group = (
        next((names[name] for name in known if name in names), None)
        for known in (PERSONAS, CANDIDATES, GROUPS)
    )
    persona = pair or persona
    reply = label
    if labelled or label is not None:
        reply = named_column(data, label, REPLIES, what="reply", option="--label")
    columns = {"history": history, "persona": persona, "reply": reply, "candidates": candidates}
    said = ", ".join(f"{what} column {name!r}" for what, name in columns.items() if name)
    return DialogueColumns(history, persona, reply, said, group, candidates)


def said_of(data: Dataset, columns: Columns, *, before: int = 0) -> list[Said]:
    """What is said in each row; `before` rows come before these, for messages.

    Raises:
        DataError: a column holds something else than texts, or lists of them.
    """
    assert isinstance(columns, DialogueColumns)
    parts = [
        _lists(data, name, before) for name in (columns.text, columns.pair, columns.candidates)
    ]
    replies = [None] * len(data) if columns.label is None else data[columns.label]
    return [
        Said(history, persona, candidates, reply if isinstance(reply, str) else None)
        for history, persona, candidates, reply in zip(*parts, replies, strict=True)
    ]


def each_said(data: Dataset) -> Iterator[Said]:
    """The same one by one, in memory that does not grow with the rows; columns are guessed."""
    columns = dialogue_columns(data, labelled=False)
    for start in range(0, len(data), _AT_ONCE):
        yield from said_of(data[start : start + _AT_ONCE], columns, before=start)


def texts_in(value: Any) -> tuple[str, ...] | None:
    """A text or several as a tuple, nothing as an empty one; None for what is neither.

    >>> texts_in("a"), texts_in(None), texts_in(["a", "b"]), texts_in(3)
    (('a',), (), ('a', 'b'), None)
    """
    several = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(several, (list, tuple)) or not all(isinstance(one, str) for one in several):
        return None
    return tuple(several)


def marked(said: Said) -> str:
    """Persona and history as one text, up to the mark of who replies.

    Marks that stand in the texts themselves are taken out: nobody speaks for another.

    >>> marked(Said(("Hi!", "Hello.", "You ski?"), ("I love snow.", "I am Ann.")))
    '<persona>I love snow. I am Ann.<speaker1>Hi!<speaker2>Hello.<speaker1>You ski?<speaker2>'
    """
    text = PERSONA + " ".join(map(_plain, said.persona)) if said.persona else ""
    for number, utterance in enumerate(said.history):
        others = (len(said.history) - number) % 2
        text += (OTHER if others else SELF) + _plain(utterance)
    return text + SELF


def _plain(text: str) -> str:
    while any(mark in text for mark in MARKS):
        for mark in MARKS:
            text = text.replace(mark, "")
    return text


def _lists(data: Dataset, name: str | None, before: int) -> Sequence[tuple[str, ...]]:
    if name is None:
        return [()] * len(data)
    found = []
    for number, value in enumerate(data[name], before):
        texts = texts_in(value)
        if texts is None:
            raise DataError(
                f"column {name!r}, row {number + 1}: {value!r:.60} is no text",
                allowed="a text, or a list of texts",
                next_step="headway.data.dialogues makes such rows of whole dialogues",
            )
        found.append(texts)
    return found
