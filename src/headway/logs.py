"""Progress and messages for people: on stderr, and only where somebody looks.

Library code says things through `logging`; nothing prints but the command line.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import length_hint
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("headway")
log.addHandler(logging.NullHandler())

PATIENCE = 0.5  # seconds of work before a bar is shown: drawing one costs more than short work


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yields `items`; work that takes its time gets a bar on stderr, when stderr is a terminal.

    Args:
        items: anything iterable.
        what: the work, in a word or two, shown before the bar.
        total: how many items there are, where `items` cannot say.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    count = length_hint(items) if total is None else total
    rest, start = iter(items), time.monotonic()
    for done, item in enumerate(rest):
        if done and time.monotonic() - start >= PATIENCE:
            yield from _with_bar(chain([item], rest), what, done, count or None)
            return
        yield item


def _with_bar(items: Iterable[T], what: str, done: int, total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, completed=done, total=total)
        for item in items:
            yield item
            bar.advance(task)
