"""Which cluster a plan runs on, and what is said where there is none.

These tests are apart from those on a cluster, since a process is connected to one at a time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headway.data.shards.on_ray import on_ray
from headway.errors import ConfigError, InputError

from .helpers import one, write_jsonl

FUNCTION = """
import os
def told(row):
    return {"told": os.environ.get("RAY_USAGE_STATS_ENABLED"), "worker": os.getpid()}
"""

SCRIPT = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from functions import told  # a module that only this process knows by its path
from headway.data import scan
plan = scan(sys.argv[1] + "/a.jsonl", shard_bytes=2000).map(told)
made = plan.write(sys.argv[1] + "/out", engine="ray", workers=2)
import ray
print(os.getpid(), ray.is_initialized(), os.environ.get("RAY_USAGE_STATS_ENABLED"), made.made)
"""


@pytest.mark.slow
def test_without_a_cluster_one_of_this_machine_starts_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(400)))
    (tmp_path / "functions.py").write_text(FUNCTION)
    without = {"RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED"}
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={name: value for name, value in os.environ.items() if name not in without},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    process, *rest = found.stdout.split()
    assert rest == ["False", "None", "3"]
    data = one(tmp_path / "out")
    assert data["n"] == list(range(400))
    assert set(data["told"]) == {"0"}
    assert int(process) not in data["worker"]
    assert "Warning" not in found.stderr


@pytest.mark.parametrize("by", ["address", "environment"])
def test_a_cluster_that_does_not_answer_is_told_at_once(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        given = address if by == "address" else None
        with (
            pytest.raises(ConfigError, match=rf"no Ray cluster answers at {address}.*ray start"),
            on_ray(None, given),
        ):
            pass


@pytest.mark.parametrize("address", ["head:port", "ray://127.0.0.1:99999999999999999999"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(ConfigError, match="no Ray cluster answers at"), on_ray(None, address):
        pass


def test_without_ray_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'pip install "ray\[data\]"'), on_ray(None, None):
        pass
