"""Ctrl-C that waits for the end of a step, so that a model is never left half updated."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopFlag", "stop_on_interrupt"]


class StopFlag:
    """Whether somebody asked for the end."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_on_interrupt() -> Iterator[StopFlag]:
    """While open, the first Ctrl-C only sets the flag; a second one interrupts at once.

    Outside the main thread, which alone gets signals, and where Ctrl-C is ignored (a job in a
    script's background), everything stays as it is.
    """
    flag = StopFlag()
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not in_main or before in (signal.SIG_IGN, None):
        yield flag
        return

    def asked(number: int, frame: FrameType | None) -> None:
        if flag.asked:
            raise KeyboardInterrupt
        flag.asked = True

    signal.signal(signal.SIGINT, asked)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)
