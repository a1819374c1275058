"""Tasks: one file each, with all that adapting, measuring and answering have to know of it.

task.py        what every task has          inputs.py   the texts of rows
label_kinds.py, labels.py, probe.py, units.py           what kinds of labels texts can have
questions.py, answers.py, passages.py, spans.py, answer_scores.py     answers that stand in a text
"""

from __future__ import annotations

from headway.errors import ConfigError, nearest
from headway.tasks.question_answering import QuestionAnswering
from headway.tasks.task import Compared, Course, Meaning, Start, Task, meaning_of
from headway.tasks.text_classification import TextClassification
from headway.tasks.token_classification import TokenClassification

__all__ = [
    "TASKS",
    "Compared",
    "Course",
    "Meaning",
    "Start",
    "Task",
    "meaning_of",
    "task_named",
]

TASKS: dict[str, Task] = {
    "question-answering": QuestionAnswering(),
    "text-classification": TextClassification(),
    "token-classification": TokenClassification(),
}
"""Name, as in the ecosystem -> task."""


def task_named(name: str) -> Task:
    """The task of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        hint = nearest(name, TASKS)
        raise ConfigError(f"task {name!r} is not known", allowed=", ".join(TASKS), next_step=hint)
    return TASKS[name]
