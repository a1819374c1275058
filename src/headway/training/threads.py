"""How many threads a run computes with: measured once for a model's size, then remembered.

More are not always faster: small products wait for each other, threads of one core share its units,
and on a machine with other work the slowest one is waited for. Another number adds up in another
order, so it is one of the things that a run is made with.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headway.logs import log
from headway.model import Model
from headway.training.keeper import kept_threads
from headway.training.processes import crew
from headway.training.remembered import remembered

__all__ = ["chosen_threads", "computing_with"]

SET = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which a user or torchrun says how many."""

FASTER = 1.1
"""By so much must another number than torch's own win: what is measured varies."""

SECONDS, ROUNDS, LEAST = 1.0, 9, 3
"""The probe ends behind so many seconds or rounds, and not before so many rounds."""

OPERATIONS = 5e9
"""About those of one pass of the probe, whose rows follow."""

ROWS = range(32, 1024)


def chosen_threads(asked: int | None, model: Model, kept: Path | None = None) -> int:
    """`asked`, or else what the run had that is kept, or else how many are fastest here for steps
    of a model of this size.

    Where a variable, torchrun or another device decides, it is the number that torch has now.

    Args:
        asked: by the user, or by the run that this one repeats.
        model: of the run.
        kept: where the states of the run lie that this one goes on with; None = it begins.
    """
    now = torch.get_num_threads()
    if asked is not None:
        return asked
    if crew().size > 1:
        return now
    if kept is not None and (then := kept_threads(kept)) is not None:
        return then
    several = sorted({1, min(now, _cores() or now), now})
    said = any(os.environ.get(name) for name in SET)
    if said or model.device.type != "cpu" or len(several) == 1:
        return now
    hidden = model.checkpoint.config.hidden
    inner = getattr(model.checkpoint.config, "inner", None) or 4 * hidden  # as GPT-2 leaves it

    def measure() -> dict[str, Any]:
        seconds = _measured(several, hidden, inner)
        best = min(several, key=lambda number: seconds[number])
        chosen = best if seconds[now] >= FASTER * seconds[best] else now
        log.info("%d of %d threads are the fastest here: using %d", best, now, chosen)
        return {"threads": chosen, "seconds": {str(n): seconds[n] for n in several}}

    what = f"threads-{hidden}-{inner}"
    found = remembered(what, measure, lambda known: known.get("threads") in several)
    return int(found["threads"])


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Has torch compute with so many threads inside, and with as many as before behind it."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _measured(several: Sequence[int], hidden: int, inner: int) -> dict[int, float]:
    """Median seconds of a feed-forward layer, forward and backward, by the number of threads."""
    rows = int(min(max(OPERATIONS / (12 * hidden * inner), ROWS.start), ROWS.stop))
    with torch.random.fork_rng([]):
        layer = nn.Sequential(
            nn.Linear(hidden, inner), nn.GELU(), nn.Linear(inner, hidden), nn.LayerNorm(hidden)
        )
        x = torch.randn(rows, hidden, requires_grad=True)
    found: dict[int, list[float]] = {threads: [] for threads in several}
    begun, done = time.perf_counter(), 0
    while done < LEAST or (done < ROUNDS and time.perf_counter() - begun < SECONDS):
        for threads, seconds in found.items():  # in turn, so that all meet the same other work
            with computing_with(threads):
                start = time.perf_counter()
                layer(x).sum().backward()
                seconds.append(time.perf_counter() - start)
        done += 1
    return {threads: statistics.median(seconds[1:]) for threads, seconds in found.items()}


def _cores() -> int | None:
    """Physical cores, where the system says them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    wanted = ("physical id", "core id")
    values = (line.partition(":")[2] for line in lines if line.startswith(wanted))
    return len(set(zip(values, values, strict=False))) or None
