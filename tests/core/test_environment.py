"""What the bricks ask of torch's libraries by variables, which they read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

NAMES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", "THP_MEM_ALLOC_ENABLE")

SAID = f"""
import os
import headway.core
print(*(os.environ[name] for name in {NAMES!r}))
"""

FAULTS = """
import resource
import headway.core
import torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.zeros(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def ran(program: str, **variables: str) -> list[str]:
    others = {name: value for name, value in os.environ.items() if name not in NAMES}
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=others | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()


def test_what_the_user_has_set_stays() -> None:
    assert ran(SAID) == ["32", "32", "1"]
    assert ran(SAID, THP_MEM_ALLOC_ENABLE="0", LRU_CACHE_CAPACITY="7") == ["32", "7", "0"]


def test_large_tensors_lie_in_large_pages_where_the_system_has_them() -> None:
    small = int(*ran(FAULTS, THP_MEM_ALLOC_ENABLE="0"))
    large = int(*ran(FAULTS))
    if LARGE_PAGES.exists() and "[madvise]" in LARGE_PAGES.read_text():
        assert large < small / 2
    else:  # they are never given, or always
        assert abs(large - small) < small / 2
