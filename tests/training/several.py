"""Processes that do one run together, and what their results are compared by.

They are forked from one that has imported what they need: by torchrun each would import it anew,
which takes far longer than what these tests do.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from headway import load
from headway.training.processes import RESTARTS

IMPORTED = ["headway.adaptation", "headway.pretraining", "headway.training.sharding",
            "torch.distributed.checkpoint"]  # fmt: skip
"""By the process that others are forked from."""

SECONDS = 200
"""For a run to end."""

GRACE = 20
"""Seconds for the others to end where one has failed."""


@dataclass(frozen=True)
class Ended:
    """Processes that have ended.

    Attributes:
        codes: the exit status of each, in the order of their ranks.
        said: what they wrote, the first one's first.
    """

    codes: tuple[int | None, ...]
    said: str

    @property
    def well(self) -> bool:
        return not any(self.codes)


def run(
    work: Callable[..., Any], *, size: int = 1, restart: int = 0, out: Path, **settings: Any
) -> Ended:
    """A function of `runs.py` in so many processes, as torchrun would start them.

    Args:
        restart: how often torchrun would have started them before.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    logs = [out.with_name(f"{out.name}-{rank}.log") for rank in range(size)]
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    told = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", RESTARTS: str(restart),
            "MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}  # fmt: skip
    crew = [
        context.Process(
            target=_member,
            args=(work, {"out": out, **settings}, log, told | {"RANK": str(rank)}),
        )
        for rank, log in enumerate(logs)
    ]
    for process in crew:
        process.start()
    end = time.monotonic() + SECONDS
    while running := [one.sentinel for one in crew if one.exitcode is None]:
        if any(one.exitcode for one in crew):
            end = min(end, time.monotonic() + GRACE)
        if not wait(running, timeout=max(0.0, end - time.monotonic())):
            for process in crew:
                process.kill()
    for process in crew:
        process.join()
    said = "\n".join(log.read_text("utf-8") for log in logs)
    return Ended(tuple(one.exitcode for one in crew), said)


def _member(
    work: Callable[..., Any],
    settings: dict[str, Any],
    log: Path,
    told: dict[str, str],
) -> None:
    """One of the processes: what it says goes to its file."""
    with log.open("w", encoding="utf-8", buffering=1) as file:
        sys.stdout = sys.stderr = file
        logging.basicConfig(level=logging.INFO, stream=file)
        os.environ |= told
        torch.set_num_threads(1)
        try:
            work(**settings)
        except Exception:  # else it would be written where nobody reads it
            traceback.print_exc()
            sys.exit(1)


def check(done: Ended) -> None:
    """Whether all came to their end; if not, what they said."""
    assert done.well, f"{done.codes}\n{done.said[-10_000:]}"


def learned(out: Path) -> dict[str, torch.Tensor]:
    return dict(load(out).state_dict())


def losses(out: Path) -> list[float]:
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    return [row["loss"] for line in lines if "learning_rate" in (row := json.loads(line))]


def same(one: Path, other: Path, tolerance: float) -> None:
    left, right = learned(one), learned(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        torch.testing.assert_close(value, right[name], atol=tolerance, rtol=tolerance, msg=name)
    assert losses(one) == pytest.approx(losses(other), rel=1e-4)


def equal(one: Path, other: Path) -> None:
    """To the bit."""
    left, right = learned(one), learned(other)
    assert left.keys() == right.keys()
    assert all(torch.equal(value, right[name]) for name, value in left.items())
    assert losses(one) == losses(other)
