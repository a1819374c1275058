"""Runs of several processes, started by torchrun as a user would."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from headway import load

TESTS = Path(__file__).parents[1]

RUN = """
import json, logging, sys, torch
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
logging.basicConfig(level=logging.INFO)
from training.tiny import rows, tiny_model
from adaptation.quick import quick
from pretraining.texts import small
out, what, more = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
{before}
if what == "adapt":
    given = dict(epochs=2, batch_tokens=120, lr=3e-3, validation=0.2, save_every=0,
                 micro_batch_tokens=10)
    made = quick(tiny_model(), rows(n=60), out=out, **given | more)
elif what == "embed":
    from headway import Dataset
    pairs = Dataset.from_columns({{"first": [f"word{{n}} word{{n + 1}}" for n in range(40)],
                                  "second": [f"word{{n + 1}} word{{n}}" for n in range(40)]}})
    given = dict(epochs=1, batch_tokens=200, lr=1e-3, micro_batch_tokens=1)
    made = quick(tiny_model(), pairs, task="sentence-similarity", text="first", pair="second",
                 out=out, **given | more)
else:
    given = dict(max_steps=6, micro_batch_tokens=1, save_every=0)
    made = small(what, out=out, **given | more)
"""


def run(
    out: Path,
    what: str = "adapt",
    *,
    size: int,
    before: str = "",
    restarts: int = 5,  # on a busy machine the first meeting may fail
    **settings: Any,
) -> subprocess.CompletedProcess[str]:
    """A run of so many processes: "adapt", "embed", or the family of a pre-training."""
    script = out.with_suffix(".py")
    script.write_text(RUN.format(tests=str(TESTS), before=textwrap.dedent(before)))
    command = [sys.executable]
    if size > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size),
                    "--max-restarts", str(restarts)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with the_only_ones():
        return subprocess.run(
            [*command, str(script), str(out), what, json.dumps(settings)],
            capture_output=True, text=True, check=False, timeout=300, env=environment,
        )  # fmt: skip


@contextmanager
def the_only_ones() -> Iterator[None]:
    """While open, no other tests run several processes, which would keep these from meeting."""
    with (Path(tempfile.gettempdir()) / "headway-several-processes").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check(done: subprocess.CompletedProcess[str]) -> None:
    """Whether it came to its end; if not, what it said."""
    said = [line for line in done.stderr.splitlines() if not line.startswith("W")]
    assert done.returncode == 0, "\n".join(said[-150:])


LOST_WORKER = """
import os
if os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
    from headway.training import keeper
    after = keeper.Keeper.after_step
    def lost(self, history):
        after(self, history)
        if history.step == 5:
            os.kill(os.getpid(), 9)
    keeper.Keeper.after_step = lost
"""
"""What kills one process behind step 5, once."""

ENDS = """
from headway.training import keeper
after = keeper.Keeper.after_step
def lost(self, history):
    after(self, history)
    if history.step == 5:
        raise SystemExit(7)
keeper.Keeper.after_step = lost
"""
"""What ends all processes behind step 5."""


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
