"""Work ahead of whoever waits for it: in threads, or in processes of their own. The order stays."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from headway.data.check_whole import check_whole

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

__all__ = ["Processes", "Threads", "Workers"]

J = TypeVar("J")
R = TypeVar("R")


class Workers(Protocol):
    """A way to do jobs ahead of time."""

    def run(self, work: Callable[[J], R], jobs: Iterable[J], /) -> Iterator[R]:
        """The results in the order of the jobs; an error comes where its result would."""
        ...


@dataclass(frozen=True)
class Threads:
    """Threads of this process: for gathering rows, which leaves Python's lock alone.

    Args:
        count: threads.
        ahead: jobs that are done or under way, beyond one a thread.

    >>> list(Threads(2).run(lambda number: number * number, range(4)))
    [0, 1, 4, 9]
    """

    count: int
    ahead: int = 1

    def __post_init__(self) -> None:
        check_whole("Threads(count=", self.count)
        check_whole("Threads(ahead=", self.ahead, least=0)

    def run(self, work: Callable[[J], R], jobs: Iterable[J], /) -> Iterator[R]:
        """The results in the order of the jobs."""
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.count, thread_name_prefix="headway-prefetch")
        return _ordered(pool, work, jobs, self.count + self.ahead)


@dataclass(frozen=True)
class Processes:
    """Forked processes, which share the data set's memory: for a `transform` in plain Python.

    Their results are copied to this process, so `transform` must return what pickle takes. As
    always with fork: start them before other threads hold locks, and before CUDA is used.

    Args:
        count: processes.
        ahead: jobs that are done or under way, beyond one a process.
    """

    count: int
    ahead: int = 1

    def __post_init__(self) -> None:
        check_whole("Processes(count=", self.count)
        check_whole("Processes(ahead=", self.ahead, least=0)

    def run(self, work: Callable[[J], R], jobs: Iterable[J], /) -> Iterator[R]:
        """The results in the order of the jobs."""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        # Fork hands over `work` as it is, with all it refers to; only jobs and results are sent.
        pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("fork"), _hold, (work,))
        return _ordered(pool, _work, jobs, self.count + self.ahead)


_held: list[Callable[[Any], Any]] = []


def _hold(work: Callable[[Any], Any]) -> None:
    _held.append(work)


def _work(job: Any) -> Any:
    return _held[-1](job)


def _ordered(pool: Executor, work: Callable[[J], R], jobs: Iterable[J], ahead: int) -> Iterator[R]:
    remaining = iter(jobs)
    try:
        waiting: deque[Future[R]] = deque(
            pool.submit(work, job) for job in islice(remaining, ahead)
        )
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, job) for job in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
