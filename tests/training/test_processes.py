"""Several processes train what one does: gradients, whole runs, lost workers, other numbers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from headway.errors import ConfigError
from headway.training import processes
from headway.training.processes import Crew, _fresh, crew, joined, restarted

from .runs import adapted, apart, embedded, ended, enough, pressed, pretrained
from .several import check, equal, run, same

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
    lost = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert not lost.returncode, lost.stderr[-10_000:]
    assert "going on behind step 5" in lost.stderr, lost.stderr[-10_000:]
    equal(tmp_path / "whole", tmp_path / "lost")


@pytest.mark.slow
def test_a_place_that_is_taken_is_refused_by_all(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").touch()
    done = run(adapted, size=2, out=tmp_path / "run")
    assert done.codes == (1, 1)
    assert "is not empty and holds no model" in done.said
    assert "the first process cannot save there" in done.said
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_it_goes_on_with_another_number(tmp_path: Path) -> None:
    assert run(ended, out=tmp_path / "run").codes == (7,)
    done = run(adapted, size=2, out=tmp_path / "run", resume=True)
    check(done)
    assert "going on behind step 5" in done.said
    check(run(adapted, out=tmp_path / "one"))
    same(tmp_path / "one", tmp_path / "run", 2e-4)


@pytest.mark.parametrize(
    ("place", "step", "settings"),
    [("step", 5, {}), ("epoch", 3, {}), ("start", 0, {"find_lr": True, "lr": None}),
     pytest.param("step", 5, {"sharding": "full"}, marks=pytest.mark.slow)],
    ids=str,
)  # fmt: skip
def test_ctrl_c_in_one_of_them_ends_all_behind_one_step(
    place: str, step: int, settings: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    check(run(pressed, size=2, out=out, place=place, **settings))
    said = [(tmp_path / f"run-{rank}").read_text("utf-8") for rank in range(2)]
    assert said == [f"interrupted behind step {step} of 6"] * 2
    assert (out / "training" / f"step-{step:08d}").is_dir() == (place != "start")


def test_one_that_has_seen_enough_ends_all(tmp_path: Path) -> None:
    check(run(enough, size=2, out=tmp_path / "run"))
    said = [(tmp_path / f"run-{rank}").read_text("utf-8") for rank in range(2)]
    assert said == ["no better validation score: ended behind step 3"] * 2


def test_they_do_not_go_on_from_different_states(tmp_path: Path) -> None:
    assert run(ended, out=tmp_path / "run").codes == (7,)
    done = run(apart, size=2, out=tmp_path / "run")
    assert done.codes == (1, 1)
    assert done.said.count("find a state behind step 0 in it, others one behind step 5") == 2


def test_one_process_is_alone() -> None:
    with joined() as found:
        assert found == crew() == Crew(0, 1) and found.main
    assert found.sum(3.0) == 3.0 and found.most(1, 2.5) == [1, 2.5]
    assert found.part_tokens(100, None) is None and found.part_tokens(100, 30) == 30
    assert Crew(1, 4).part_tokens(102, None) == 26 and Crew(1, 4).part_tokens(102, 20) == 20
    tensors = [[torch.ones(2, 3)], [torch.zeros(1, 3)]]
    assert [len(each) for each in found.collect(tensors, 2)] == [1, 1]
    found.wait()


def test_what_earlier_ones_wrote_is_not_read() -> None:
    """Processes that are started anew have the store of those that are no more."""
    store, size = dist.HashStore(), 3
    with ThreadPoolExecutor(size) as pool:
        for _ in range(20):
            late = list(range(size))
            random.shuffle(late)

            def meets(rank: int, late: list[int] = late) -> tuple[bytes, ...]:
                time.sleep(0.01 * late[rank])
                own = _fresh(store, rank, size)
                own.set(str(rank), uuid.uuid4().hex)
                return tuple(own.get(str(n)) for n in range(size))

            (seen,) = set(pool.map(meets, range(size)))
            assert len(set(seen)) == size


def test_somebody_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MEETING", timedelta(seconds=0.1))
    store = dist.HashStore()
    store.set("name of 1", "of one that is no more")
    with pytest.raises(TimeoutError, match="not all 2 came"):
        _fresh(store, 0, 2)
    with pytest.raises(TimeoutError, match="not all 2 came"):
        _fresh(store, 1, 2)


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
