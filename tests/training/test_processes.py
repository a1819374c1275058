"""Several processes train what one does: gradients, whole runs, lost workers, other numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from headway.errors import ConfigError
from headway.training.processes import Crew, crew, joined, restarted

from .runs import adapted, embedded, ended, pretrained
from .several import check, equal, run, same, the_only_ones

LOST = """
import logging, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
logging.basicConfig(level=logging.INFO)
from training.runs import lost_once
lost_once(out=Path("{out}"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("work", "size"), [(adapted, 4), (embedded, 2)])
def test_they_adapt_as_one_process_does(
    work: Callable[..., Any], size: int, tmp_path: Path
) -> None:
    for name, count in (("one", 1), ("many", size)):
        check(run(work, size=count, out=tmp_path / name))
    same(tmp_path / "one", tmp_path / "many", 2e-4)


def test_they_pretrain_as_one_process_does(tmp_path: Path) -> None:
    for name, count in (("one", 1), ("two", 2)):
        check(run(pretrained, size=count, out=tmp_path / name))
    same(tmp_path / "one", tmp_path / "two", 2e-4)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(tmp_path: Path) -> None:
    """By torchrun, as users have it."""
    check(run(adapted, size=2, out=tmp_path / "whole"))
    script = tmp_path / "lost.py"
    script.write_text(LOST.format(tests=str(Path(__file__).parents[1]), out=tmp_path / "lost"))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
               "--nproc-per-node", "2", "--max-restarts", "3", str(script)]  # fmt: skip
    with the_only_ones():
        lost = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600,
                              env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert not lost.returncode, lost.stderr[-10_000:]
    assert "going on behind step 5" in lost.stderr
    equal(tmp_path / "whole", tmp_path / "lost")


@pytest.mark.slow
def test_it_goes_on_with_another_number(tmp_path: Path) -> None:
    assert run(ended, out=tmp_path / "run").codes == (7,)
    done = run(adapted, size=2, out=tmp_path / "run", resume=True)
    check(done)
    assert "going on behind step 5" in done.said
    check(run(adapted, out=tmp_path / "one"))
    same(tmp_path / "one", tmp_path / "run", 2e-4)


def test_one_process_is_alone() -> None:
    with joined() as found:
        assert found == crew() == Crew(0, 1) and found.main
    assert found.sum(3.0) == 3.0 and found.most(1, 2.5) == [1, 2.5]
    assert found.part_tokens(100, None) is None and found.part_tokens(100, 30) == 30
    assert Crew(1, 4).part_tokens(102, None) == 26 and Crew(1, 4).part_tokens(102, 20) == 20
    tensors = [[torch.ones(2, 3)], [torch.zeros(1, 3)]]
    assert [len(each) for each in found.collect(tensors, 2)] == [1, 1]
    found.wait()


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ConfigError, match="cannot be reached"), joined():
        pass


def test_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not restarted()
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "2")
    assert restarted()
