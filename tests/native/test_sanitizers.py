"""The core under sanitizers: random engines and broken text, some seconds of each."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = "8"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sanitizers", "parts"),
    # What reads lines of files has no threads.
    [("address,undefined", ("tokenizer", "data")), ("thread", ("tokenizer",))],
    ids=["address,undefined", "thread"],
)
def test_random_engines_on_random_text(
    sanitizers: str, parts: tuple[str, ...], tmp_path: Path
) -> None:
    tools = [shutil.which(name) for name in ("cmake", "ninja", "c++")]
    if None in tools:
        pytest.skip("cmake, ninja and a C++ compiler are needed to build the core anew")
    configure = ["cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja"]
    switches = {
        "CMAKE_BUILD_TYPE": "RelWithDebInfo",
        "HEADWAY_PYTHON": "OFF",
        "HEADWAY_TESTS": "ON",
        "SANITIZE": sanitizers,
    }
    run([*configure, *(f"-D{name}={value}" for name, value in switches.items())])
    run(["cmake", "--build", tmp_path, "--target", *(f"fuzz_{part}" for part in parts)])
    for part in parts:
        assert "texts" in run([tmp_path / f"fuzz_{part}", SECONDS])


def run(command: list[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout
