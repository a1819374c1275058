"""Several processes train what one does: gradients, whole runs, lost workers, other numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from headway.errors import ConfigError
from headway.training.processes import Crew, crew, joined, restarted

from .torchrun import ENDS, LOST_WORKER, check, equal, run, same


@pytest.mark.parametrize(
    ("what", "size"),
    [
        pytest.param("adapt", 4, marks=pytest.mark.slow),
        pytest.param("embed", 2, marks=pytest.mark.slow),
        ("bert", 2),
    ],
)
def test_they_train_what_one_process_does(what: str, size: int, tmp_path: Path) -> None:
    for name, count in (("one", 1), ("many", size)):
        done = run(tmp_path / name, what, size=count)
        check(done)
    same(tmp_path / "one", tmp_path / "many", 2e-4)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(tmp_path: Path) -> None:
    done = run(tmp_path / "whole", size=2)
    check(done)
    lost = run(tmp_path / "lost", size=2, before=LOST_WORKER)
    check(lost)
    assert "going on behind step" in lost.stderr
    equal(tmp_path / "whole", tmp_path / "lost")


@pytest.mark.slow
def test_it_goes_on_with_another_number(tmp_path: Path) -> None:
    assert run(tmp_path / "run", size=1, before=ENDS).returncode == 7
    done = run(tmp_path / "run", size=2, resume=True)
    assert done.returncode == 0 and "going on behind step" in done.stderr, done.stderr[-3000:]
    assert run(tmp_path / "one", size=1).returncode == 0
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
