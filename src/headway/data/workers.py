"""Work on several processors: processes that begin as copies of this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, TypeVar

from headway.errors import ConfigError, HeadwayError

T = TypeVar("T")

__all__ = ["in_processes", "packed_error", "unpacked_error"]


def in_processes(
    work: Callable[[int], T], tasks: Sequence[int], workers: int = 1
) -> Iterator[tuple[int, T]]:
    """Yields each task with what `work` gives for it, in the order in which they are done.

    The processes are forked, so `work` may be any function, and sees all there is without a copy.
    One worker is this process itself. An interrupt or an error ends the other processes.

    Args:
        work: called with a task; what it returns, and raises, must be picklable.
        tasks: numbers that mean something to `work`.
        workers: how many processes work at a time.

    Raises:
        ConfigError: no workers.
        HeadwayError: a process was killed.
        Whatever `work` raises, with the place as a note.

    >>> sorted(in_processes(lambda n: n * n, [1, 2, 3], workers=2))
    [(1, 1), (2, 4), (3, 9)]
    """
    if workers < 1:
        raise ConfigError(f"{workers} workers", allowed="1 or more")
    workers = min(workers, len(tasks))
    if workers <= 1:
        for task in tasks:
            yield task, work(task)
        return
    open_tasks = iter(tasks)
    team: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(workers):
            connection, process = _start(work)
            team[connection] = process
            connection.send(next(open_tasks))
        while team:
            for ready in wait(list(team)):
                assert isinstance(ready, Connection)
                yield _result(ready, team[ready])
                following = next(open_tasks, None)
                ready.send(following)
                if following is None:
                    team.pop(ready).join()
                    ready.close()
    finally:
        for connection, process in team.items():
            process.terminate()
            process.join()
            connection.close()


def _start(work: Callable[[int], Any]) -> tuple[Connection, BaseProcess]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_serve, args=(work, theirs, os.getpid()), daemon=True)
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads; those here are Arrow's, which is made for it.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    theirs.close()
    return ours, process


def _serve(work: Callable[[int], Any], connection: Connection, parent: int) -> None:
    """The loop of a worker: a number in, what `work` gives or an error out; None ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too and ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    while (task := connection.recv()) is not None:
        try:
            connection.send((task, work(task), None))
        except Exception as error:
            connection.send((task, None, packed_error(error)))


def _end_with(parent: int) -> None:
    """Ends this process once its parent is gone, which a killed one cannot tell it."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def packed_error(error: Exception) -> tuple[bytes | None, str]:
    """An error as bytes that another process of ours can raise, if it can be; and its place."""
    place = "".join(traceback.format_exception(error))
    try:
        return bytes(ForkingPickler.dumps(error)), place
    except Exception:  # whatever the user's own class raises
        return None, place


def _result(connection: Connection, process: BaseProcess) -> tuple[int, Any]:
    try:
        task, result, wrong = connection.recv()
    except EOFError:
        process.join()
        code = process.exitcode or 0
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise HeadwayError(
            f"a worker process was ended {how}; was the memory full? Try fewer workers"
        ) from None
    if wrong is None:
        return task, result
    raise unpacked_error(*wrong)


def unpacked_error(packed: bytes | None, place: str) -> Exception:
    """The error that `packed_error` was given in another process, with its place as a note."""
    error: Exception = HeadwayError(f"a worker process failed:\n{place}")
    if packed:
        try:
            error = ForkingPickler.loads(packed)
            error.add_note(f"in a worker process:\n{place}")
        except Exception:  # a class that cannot be made again from what it holds
            pass
    return error
