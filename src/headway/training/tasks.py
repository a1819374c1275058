"""Tasks: one entry ties a task's name to its labels' kinds. Adding a task is adding an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.errors import ConfigError, nearest
from headway.training.kinds import KINDS, Kind

__all__ = ["TASKS", "Task", "task_named"]


@dataclass(frozen=True)
class Task:
    """What a model is adapted to.

    Attributes:
        about: one line for people.
        kinds: the kinds of labels it can have: loss, targets, answers and scores of each.
    """

    about: str
    kinds: Mapping[str, Kind]


TASKS: dict[str, Task] = {
    "text-classification": Task("a label, several labels or a number for a text or a pair", KINDS),
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
