"""Progress and messages for people: on stderr, and only where somebody looks.

Library code says things through `logging`; nothing prints but the command line.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger("headway")
log.addHandler(logging.NullHandler())


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yields `items`, with a progress bar on stderr when stderr is a terminal.

    Args:
        items: anything iterable.
        what: the work, in a word or two, shown before the bar.
        total: how many items there are, where `items` cannot say.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, what, total=total, console=Console(stderr=True), transient=True)
