"""Columns of questions, contexts and answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.data import Columns, Dataset
from headway.data.named_column import named_column, one_of_splits
from headway.tasks.answers.truth import START, TEXT

__all__ = ["AnswerColumns", "question_columns"]

QUESTIONS = ("question", "query")
CONTEXTS = ("context", "passage", "paragraph", "document", "article", "text")
ANSWERS = ("answers", "answer", "answer_text", "label", "labels")
STARTS = ("answer_start", "answer_starts", "start")
"""How people call the columns, the most telling first."""


@dataclass(frozen=True, slots=True)
class AnswerColumns(Columns):
    """Columns of questions, where a column of its own may say where an answer starts."""

    start: str | None = None

    def answers(self, data: Dataset) -> list[Any]:
        if self.label is None or self.start is None or self.start not in data.column_names:
            return Columns.answers(self, data)
        pairs = zip(data[self.label], data[self.start], strict=True)
        return [None if text is None else {TEXT: text, START: place} for text, place in pairs]


def question_columns(
    data: Dataset | Mapping[str, Dataset],
    *,
    text: str | None = None,
    pair: str | None = None,
    label: str | None = None,
    labelled: bool = True,
) -> Columns:
    """Which columns hold question (`text`), context (`pair`) and answers (`label`).

    Raises:
        DataError: one of them is not there.
    """
    question = named_column(data, text, QUESTIONS, what="question", option="--text")
    context = named_column(data, pair, CONTEXTS, what="context", option="--pair")
    said = f"question column {question!r}, context column {context!r}"
    if not labelled:
        return AnswerColumns(question, context, None, said, context)
    answers = named_column(data, label, ANSWERS, what="column of answers", option="--label")
    said += f", answers column {answers!r}"
    names = one_of_splits(data).column_names
    start = next((name for name in names if name.casefold() in STARTS and name != answers), None)
    said += f" with places in {start!r}" if start else ""
    return AnswerColumns(question, context, answers, said, context, start)
