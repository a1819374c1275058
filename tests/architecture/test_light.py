"""`import headway` is light: which packages come with it, how long it takes, what it touches."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

LIGHT = [
    "headway",
    "headway.tokenizer",
    "headway.data",
    "headway.metrics",
    "headway.hub",
    "headway.images",
    "headway.reports",
    "headway.config",
    "headway.errors",
]
HEAVY = [
    "PIL",
    "h5py",
    "huggingface_hub",
    "jax",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "pandas",
    "polars",
    "ray",
    "scipy",
    "sklearn",
    "tensorboard",
    "tokenizers",
    "torch",
    "transformers",
]

PROBE = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(f"{event} while importing")

sys.addaudithook(refuse)
__import__(sys.argv[1])
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_bring_nothing_heavy_and_open_no_socket(module: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROBE, module, *HEAVY], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert not found.stdout.split(), f"import {module} brings {found.stdout.split()}"


def test_the_probe_sees_sockets_and_heavy_modules(tmp_path: Path) -> None:
    (tmp_path / "caller.py").write_text("import socket\nsocket.socket()\n")
    (tmp_path / "heavy.py").write_text("import sklearn\n")
    (tmp_path / "sklearn.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = {
        name: subprocess.run(
            [sys.executable, "-c", PROBE, name, *HEAVY],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for name in ("caller", "heavy")
    }
    assert "socket.__new__ while importing" in found["caller"].stderr
    assert found["heavy"].stdout.split() == ["sklearn"]


def test_importing_headway_takes_at_most_150_ms() -> None:
    bare, whole = ([sys.executable, "-c", code] for code in ("pass", "import headway"))
    assert_within(0.150, lambda: seconds(whole) - seconds(bare), "import headway")


def test_help_takes_at_most_300_ms() -> None:
    command = [str(Path(sysconfig.get_path("scripts")) / "headway"), "--help"]
    assert_within(0.300, lambda: seconds(command), "headway --help")


def assert_within(limit: float, measure, what: str) -> None:  # type: ignore[no-untyped-def]
    """The median of five is under the limit; measured again, up to four times, if it is not."""
    medians = []
    for _ in range(4):
        medians.append(statistics.median(measure() for _ in range(5)))
        if medians[-1] <= limit:
            return
    slowest = ", ".join(f"{median * 1000:.0f}" for median in medians)
    pytest.fail(f"{what} takes {slowest} ms, and may take {limit * 1000:.0f}")


def seconds(command: Sequence[str]) -> float:
    """Processor time of a command: what it takes on an idle machine, whatever runs beside it."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said.decode()
    return usage.ru_utime + usage.ru_stime
