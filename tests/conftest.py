"""Set before anything else is imported."""

from __future__ import annotations

import os

# Each pytest-xdist worker has one core: with more threads than cores, torch waits for itself.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
