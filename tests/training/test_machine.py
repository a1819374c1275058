from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import headway
from headway.training.machine import peak_memory_mb, timed, versions


def test_the_peak_is_that_of_this_process_and_does_not_sink() -> None:
    before = peak_memory_mb()
    block = np.ones(64 * 2**20 // 8)
    with_it = peak_memory_mb()
    assert block.sum() > 0
    del block
    # The system counts in batches, a few pages at a time.
    assert before - 1 <= with_it and peak_memory_mb() >= with_it - 1
    assert with_it > 100


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can forget a peak")
def test_a_peak_can_be_forgotten() -> None:
    program = (
        "from headway.training.machine import forget_peak_memory, peak_memory_mb\n"
        "before = peak_memory_mb()\n"
        "block = bytearray(200 * 2**20)\n"
        "with_it = peak_memory_mb()\n"
        "del block\n"
        "print(forget_peak_memory(), with_it - before, peak_memory_mb() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    forgotten, rise, left = done.stdout.split()
    assert forgotten == "True" and float(rise) > 190 and float(left) < 60, done.stderr


def test_memory_of_a_parent_is_not_counted() -> None:
    block = np.ones(300 * 2**20 // 8)
    program = (
        "import resource\n"
        "from headway.training.machine import peak_memory_mb\n"
        "before = peak_memory_mb()\n"
        "block = bytearray(200 * 2**20)\n"
        "print(peak_memory_mb() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert block.sum() > 0
    assert 190 < float(done.stdout) < 260, done.stderr


def test_versions() -> None:
    found = versions()
    assert found["headway"] == headway.__version__
    assert found["torch"] == torch.__version__ or torch.__version__.startswith(found["torch"])
    assert all(isinstance(value, str) and value for value in found.values())


def test_time_is_noted_also_of_what_fails() -> None:
    seconds: dict[str, float] = {}
    with pytest.raises(ValueError, match="amiss"), timed(seconds, "work"):
        raise ValueError("amiss")
    assert 0 <= seconds["work"] < 1
