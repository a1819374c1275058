"""What a run was made with, and what it took of the machine."""

from __future__ import annotations

import importlib.metadata
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

__all__ = ["forget_peak_memory", "peak_memory_mb", "timed", "versions"]

LIBRARIES = ("headway", "torch", "numpy", "pyarrow", "safetensors", "scikit-learn")


def peak_memory_mb() -> float:
    """The most memory that this process ever held, in MB; memory of a GPU is not counted."""
    try:
        # Unlike getrusage, this starts anew with the program: no parent process is counted.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1024 if sys.platform != "darwin" else most / 1024**2


def forget_peak_memory() -> bool:
    """Lets `peak_memory_mb` start anew from the memory held now; False where no system does."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def versions() -> dict[str, str]:
    """Names of programs and libraries, and what they are."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
        "threads": str(torch.get_num_threads()),
    }


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Notes how long what is inside took, also where it fails."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[stage] = time.perf_counter() - start
