from __future__ import annotations

import pytest

from headway.errors import ConfigError
from headway.reports.sheets import SHEETS
from headway.tasks import TASKS, Meaning, task_named


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


def test_more_rows_never_ask_for_more_epochs() -> None:
    for task in TASKS.values():
        for kind in task.kinds:
            courses = [task.course(rows, Meaning(kind)) for rows in (10, 1000, 10**5)]
            epochs = [course.epochs for course in courses]
            assert epochs == sorted(epochs, reverse=True) and epochs[-1] >= 1
            assert all(0 < course.rate < 1e-2 for course in courses)


def test_an_unknown_task_is_said_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'text-classification'"):
        task_named("text-clasification")
