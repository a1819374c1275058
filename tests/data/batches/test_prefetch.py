"""Workers: results in order, errors in their place, nothing left behind."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from typing import Any

import pytest

from headway.data.batches.prefetch import Processes, Threads, Workers
from headway.errors import ConfigError

ALL = [Threads(1), Threads(3, ahead=0), Processes(1), Processes(2, ahead=3)]


@pytest.mark.parametrize("workers", ALL, ids=repr)
@pytest.mark.parametrize("jobs", [0, 1, 25])
def test_results_come_in_order(workers: Workers, jobs: int) -> None:
    def slow_first(job: int) -> int:
        time.sleep(0.01 if job % 5 == 0 else 0)
        return job * job

    assert list(workers.run(slow_first, iter(range(jobs)))) == [n * n for n in range(jobs)]


@pytest.mark.parametrize("workers", ALL, ids=repr)
def test_an_error_comes_where_its_result_would(workers: Workers) -> None:
    def fails(job: int) -> int:
        if job == 2:
            raise ValueError("job two")
        return job

    results = workers.run(fails, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="job two"):
        next(results)


def test_no_more_than_asked_for_is_done_ahead() -> None:
    taken = []

    def jobs() -> Any:
        for job in range(100):
            taken.append(job)
            yield job

    results = Threads(2, ahead=1).run(lambda job: job, jobs())
    for number in range(5):
        assert next(results) == number
        assert len(taken) <= number + 4
    results.close()


@pytest.mark.parametrize("workers", [Threads(2), Processes(2)], ids=repr)
def test_nothing_is_left_when_the_loop_is_left(workers: Workers) -> None:
    before = threading.active_count()
    for _ in workers.run(lambda job: job, range(1000)):
        break
    deadline = time.monotonic() + 10
    while threading.active_count() > before or multiprocessing.active_children():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_processes_are_others_and_share_what_is_there() -> None:
    there = {"big": list(range(10))}
    found = list(Processes(2).run(lambda job: (os.getpid(), there["big"][job]), range(10)))
    assert [value for _, value in found] == list(range(10))
    assert os.getpid() not in {process for process, _ in found}
    threads = set(Threads(1).run(lambda job: os.getpid(), range(3)))
    assert threads == {os.getpid()}


@pytest.mark.parametrize("kind", [Threads, Processes])
def test_numbers_out_of_range(kind: Any) -> None:
    with pytest.raises(ConfigError, match=rf"{kind.__name__}\(count=0\)"):
        kind(0)
    with pytest.raises(ConfigError, match=rf"{kind.__name__}\(ahead=-1\)"):
        kind(1, ahead=-1)
