"""Tasks: one file each, with all that adapting, measuring and answering have to know of it.

task.py       what every task has             measured.py   measures as metrics of columns
inputs.py     the texts of rows               choices.py    the columns of rows with choices
labels/       labels of texts                 tags/         tags of words, and entities
answers/      answers that stand in a text    pairs/        two texts, each read for itself
talks/        dialogues
"""

from __future__ import annotations

from dataclasses import replace

from headway.errors import ConfigError, nearest
from headway.tasks.dialogue import CHOICE, DESIGNS, Dialogue
from headway.tasks.fill_mask import FillMask
from headway.tasks.multiple_choice import MultipleChoice
from headway.tasks.question_answering import QuestionAnswering
from headway.tasks.sentence_similarity import SentenceSimilarity
from headway.tasks.task import Compared, Course, Meaning, Start, Task, known_meaning, meaning_of
from headway.tasks.text_classification import TextClassification
from headway.tasks.text_generation import TextGeneration
from headway.tasks.text_to_text import TextToText, first_sentence
from headway.tasks.token_classification import TokenClassification

__all__ = [
    "TASKS",
    "Compared",
    "Course",
    "Meaning",
    "Start",
    "Task",
    "known_meaning",
    "meaning_of",
    "task_named",
]

TASKS: dict[str, Task] = {
    "dialogue": Dialogue(),
    "fill-mask": FillMask(),
    "multiple-choice": MultipleChoice(),
    "question-answering": QuestionAnswering(),
    "sentence-similarity": SentenceSimilarity(),
    "text-classification": TextClassification(),
    "text-generation": TextGeneration(),
    "token-classification": TokenClassification(),
    "summarization": TextToText(
        "summaries", "a shorter text that says the same", "the first sentence", first_sentence
    ),
    "translation": TextToText("translations", "a text in another language", "the source", str),
    "text2text-generation": TextToText("texts", "a text in answer to a text", "the source", str),
}
"""Name, as in the ecosystem -> task."""


def task_named(name: str, design: str | None = None, head: str | None = None) -> Task:
    """The task of that name, in one of its designs if it has several; one of dialogues can have a
    head of its own.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        hint = nearest(name, TASKS)
        raise ConfigError(f"task {name!r} is not known", allowed=", ".join(TASKS), next_step=hint)
    task = TASKS[name]
    if head == CHOICE:
        if not isinstance(task, Dialogue):
            raise ConfigError(f"head = {CHOICE!r} with {name}", allowed="--task dialogue")
        task = replace(task, choice=True)
    if design is None:
        return task
    if not isinstance(task, Dialogue):
        raise ConfigError(
            f"design = {design!r} with {name}, which has one", allowed="--task dialogue"
        )
    if design not in DESIGNS:
        raise ConfigError(f"design = {design!r}", allowed=", ".join(DESIGNS))
    return replace(task, design=design)
