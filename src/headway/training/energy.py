"""The energy that a stretch of work took: read from the processor's counters, or estimated."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

__all__ = ["Energy", "metered"]

COUNTERS = Path("/sys/class/powercap")
"""Of Intel and AMD processors, in microjoules; readable by root alone on many systems."""

WATTS_A_CORE = 8.0
"""Where nothing can be read: what a busy core of a server takes, about, its share of the rest of
the processor included."""


@dataclass
class Energy:
    """What was taken.

    Attributes:
        watt_hours: so much.
        measured: by counters, else estimated from time and cores.
    """

    watt_hours: float = 0.0
    measured: bool = False


@contextmanager
def metered() -> Iterator[Energy]:
    """Meters what is inside: of the whole machine where there are counters, else of the cores that
    this process computes with. A graphics processor's is not counted."""
    found = Energy()
    before, start = _counters(), time.perf_counter()
    try:
        yield found
    finally:
        seconds, after = time.perf_counter() - start, _counters()
        joules = sum(_grown(before[name], after[name]) for name in before.keys() & after.keys())
        found.measured = joules > 0
        if not found.measured:
            joules = seconds * WATTS_A_CORE * min(torch.get_num_threads(), os.cpu_count() or 1)
        found.watt_hours = joules / 3600


def _counters() -> dict[str, tuple[int, int]]:
    """Microjoules and where each counter begins anew, of whole processors."""
    found = {}
    for folder in sorted(COUNTERS.glob("intel-rapl:[0-9]*")) if COUNTERS.is_dir() else []:
        if folder.name.count(":") > 1:  # a part of one
            continue
        try:
            now, most = (
                int((folder / name).read_text("ascii"))
                for name in ("energy_uj", "max_energy_range_uj")
            )
        except (OSError, ValueError):
            continue
        found[folder.name] = (now, most)
    return found


def _grown(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Joules between two readings of a counter that may have begun anew.

    >>> _grown((9_000_000, 10_000_000), (1_000_000, 10_000_000))
    2.0
    """
    grown = after[0] - before[0]
    return (grown if grown >= 0 else grown + before[1]) / 1e6
