from __future__ import annotations

import pytest

from headway.errors import ConfigError
from headway.reports.sheets import SHEETS
from headway.tasks import TASKS, task_named


def test_tasks_are_found_by_name() -> None:
    for name, task in TASKS.items():
        assert task_named(name) is task
        assert task.about and task.kinds


def test_every_kind_of_answers_can_be_reported() -> None:
    for task in TASKS.values():
        assert set(task.kinds) <= set(SHEETS)
        for kind in task.kinds:
            assert task.main(kind) in {measure.key for measure in SHEETS[kind].measures}
            assert task.expected(kind)


def test_an_unknown_task_is_said_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'text-classification'"):
        task_named("text-clasification")
