"""Several processes train what one does: gradients, whole runs, lost workers, other numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from headway import load
from headway.errors import ConfigError
from headway.training.processes import Crew, crew, joined, restarted

TESTS = Path(__file__).parents[1]

RUN = """
import logging, sys, torch
sys.path.insert(0, {tests!r})
torch.set_num_threads(1)
logging.basicConfig(level=logging.INFO)
from training.tiny import rows, tiny_model
from adaptation.quick import quick
from pretraining.texts import small
import headway.core.dropout as dropping
out, what = sys.argv[1], sys.argv[2]
{before}
if what == "adapt":
    made = quick(tiny_model(), rows(n=60), out=out, epochs=2, batch_tokens=120, lr=3e-3,
                 validation=0.2, save_every=0, micro_batch_tokens=10)
elif what == "embed":
    from headway import Dataset
    pairs = Dataset.from_columns({{"first": [f"word{{n}} word{{n + 1}}" for n in range(40)],
                                  "second": [f"word{{n + 1}} word{{n}}" for n in range(40)]}})
    made = quick(tiny_model(), pairs, task="sentence-similarity", text="first", pair="second",
                 out=out, epochs=1, batch_tokens=200, lr=1e-3, micro_batch_tokens=1)
else:
    made = small("bert", out=out, max_steps=6, micro_batch_tokens=1, save_every=0)
"""


def run(
    out: Path,
    what: str = "adapt",
    *,
    size: int,
    before: str = "",
    restarts: int = 5,  # on a busy machine the first meeting may fail
    resume: bool = False,
) -> subprocess.CompletedProcess[str]:
    script = out.with_suffix(".py")
    text = RUN.format(tests=str(TESTS), before=textwrap.dedent(before))
    script.write_text(text.replace("out=out,", "out=out, resume=True,") if resume else text)
    command = [sys.executable]
    if size > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size),
                    "--max-restarts", str(restarts)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(script), str(out), what],
        capture_output=True, text=True, check=False, timeout=300, env=environment,
    )  # fmt: skip


def learned(out: Path) -> dict[str, torch.Tensor]:
    return dict(load(out).state_dict())


def losses(out: Path) -> list[float]:
    lines = (out / "metrics.jsonl").read_text("utf-8").splitlines()
    return [row["loss"] for line in lines if "learning_rate" in (row := json.loads(line))]


def same(one: Path, other: Path, tolerance: float) -> None:
    left, right = learned(one), learned(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        torch.testing.assert_close(value, right[name], atol=tolerance, rtol=tolerance, msg=name)
    assert losses(one) == pytest.approx(losses(other), rel=1e-4)


@pytest.mark.parametrize(
    ("what", "size"),
    [
        pytest.param("adapt", 2, marks=pytest.mark.slow),
        pytest.param("adapt", 4, marks=pytest.mark.slow),
        pytest.param("embed", 2, marks=pytest.mark.slow),
        ("pretrain", 2),
    ],
)
def test_they_train_what_one_process_does(what: str, size: int, tmp_path: Path) -> None:
    for name, count in (("one", 1), ("many", size)):
        done = run(tmp_path / name, what, size=count)
        assert done.returncode == 0, done.stderr[-3000:]
    same(tmp_path / "one", tmp_path / "many", 2e-4)


@pytest.mark.slow
def test_a_lost_worker_is_started_again_and_the_run_goes_on(tmp_path: Path) -> None:
    dies = """
    import os
    from headway.training import loop
    whole = loop.steps_of
    if os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        from headway.training import keeper
        after = keeper.Keeper.after_step
        def lost(self, history):
            after(self, history)
            if history.step == 5:
                os.kill(os.getpid(), 9)
        keeper.Keeper.after_step = lost
    """
    done = run(tmp_path / "whole", size=2)
    assert done.returncode == 0, done.stderr[-3000:]
    lost = run(tmp_path / "lost", size=2, before=dies)
    assert lost.returncode == 0, lost.stderr[-3000:]
    assert "going on behind step" in lost.stderr
    left, right = learned(tmp_path / "whole"), learned(tmp_path / "lost")
    assert all(torch.equal(value, right[name]) for name, value in left.items())
    assert losses(tmp_path / "whole") == losses(tmp_path / "lost")


@pytest.mark.slow
def test_it_goes_on_with_another_number(tmp_path: Path) -> None:
    dies = """
    from headway.training import keeper
    after = keeper.Keeper.after_step
    def lost(self, history):
        after(self, history)
        if history.step == 5:
            raise SystemExit(7)
    keeper.Keeper.after_step = lost
    """
    assert run(tmp_path / "run", size=1, before=dies).returncode == 7
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
