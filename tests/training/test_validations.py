from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from headway.training import History, Options
from headway.training.validations import Validations


def at(
    steps: int, *, ends_at: int = 0, epoch: int = 10, begun: History | None = None, **options: Any
) -> list[int]:
    """The steps behind which a run of tenths of seconds is validated, epochs of ten steps."""
    module, seen = nn.Linear(1, 1), []

    def look(history: History) -> bool:
        assert not module.training
        seen.append(history.step)
        history.validation.append({"step": history.step, "epoch": 1, "accuracy": 0.5})
        return history.step == ends_at

    history = History() if begun is None else begun
    found = Validations(module, look, Options(**options), total=steps)
    found.begin(history)
    for number in range(history.step + 1, steps + 1):
        module.train()
        history.train.append({"step": number, "epoch": 1})
        history.timings.append(0.1)
        history.seconds += 0.1
        if found.after_step(history):
            break
        assert module.training
        whole = number % epoch == 0 or number == steps
        if whole and found.after_epoch(number // epoch, history):
            break
    return seen


def test_behind_each_epoch_where_nothing_is_said() -> None:
    assert at(35) == [10, 20, 30, 35]
    assert at(35, ends_at=20) == [10, 20]


def test_every_so_many_steps_and_at_the_end() -> None:
    assert at(33, validate_every=7) == [7, 14, 21, 28, 33]
    assert at(28, validate_every=7) == [7, 14, 21, 28]  # the last one once
    assert at(33, validate_every=7, ends_at=14) == [7, 14]
    assert at(5, validate_every=100) == [5]


def test_every_so_many_seconds_and_at_the_end() -> None:
    found = at(33, validate_seconds=0.75)
    assert found == [8, 16, 24, 32, 33]
    assert at(3, validate_seconds=100) == [3]


@pytest.mark.parametrize("options", [{"validate_every": 7}, {"validate_seconds": 0.75}, {}])
@pytest.mark.parametrize("step", [1, 7, 8, 10, 15, 20])
def test_a_run_that_goes_on_is_validated_behind_the_same_steps(
    options: dict[str, Any], step: int
) -> None:
    """By the clock too, where all steps take as long."""
    whole = at(33, **options)
    begun = History()
    begun.train = [{"step": n, "epoch": 1} for n in range(1, step + 1)]
    begun.timings, begun.seconds = [0.1] * step, 0.1 * step
    behind = [n for n in whole if n <= step]
    begun.validation = [{"step": n, "epoch": 1} for n in behind]
    assert behind + at(33, begun=begun, **options) == whole


def test_a_run_that_the_clock_ends_is_validated_in_the_end() -> None:
    module, seen = nn.Linear(1, 1), []
    options = Options(validate_every=100, max_seconds=1.0)
    found = Validations(module, lambda history: bool(seen.append(1)), options, total=50)  # type: ignore[func-returns-value]
    history = History(train=[{"step": 1, "epoch": 1}], timings=[1.5], seconds=1.5)
    assert not found.after_step(history) and not seen
    found.after_epoch(1, history)
    assert seen == [1]


def test_each_part_is_in_its_own_mode_again() -> None:
    module = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    found = Validations(module, lambda history: True, Options(validate_every=1), total=9)
    history = History(train=[{"step": 1, "epoch": 1}])
    assert found.after_step(history)
    assert module.training and [part.training for part in module] == [True, False]
