"""Work on a few threads, for functions that spend their time outside of Python."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

__all__ = ["in_order"]

_MOST_WORKERS = 4


def in_order(function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """`map` on a few threads.

    At most one item more than there are threads is taken ahead, and none lives on after the last.
    """
    items = iter(items)
    first = list(islice(items, 2))
    if len(first) < 2:
        yield from map(function, first)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for source in (first, items):
                for item in source:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > workers:
                        yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
