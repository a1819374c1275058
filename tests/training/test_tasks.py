from __future__ import annotations

import pytest

from headway.errors import ConfigError
from headway.training import TASKS, task_named
from headway.training.kinds import KINDS


def test_tasks_are_found_by_name() -> None:
    assert task_named("text-classification").kinds == KINDS
    assert all(task.about and task.kinds for task in TASKS.values())


def test_an_unknown_task_is_said_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'text-classification'"):
        task_named("text-clasification")
