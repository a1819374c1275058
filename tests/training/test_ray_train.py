"""Workers of a Ray cluster train what one process does."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import ConfigError, HeadwayError, InputError
from headway.training.ray_train import train_on_ray

from .runs import adapted, lost_once, pretrained
from .several import same

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray's own sockets


def test_numbers_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="workers = 0"):
        train_on_ray(adapted, out=tmp_path / "run", workers=0)
    with pytest.raises(ConfigError, match="restarts = -1"):
        train_on_ray(adapted, out=tmp_path / "run", workers=1, restarts=-1)


def test_without_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.train.torch", None)
    with pytest.raises(InputError, match=r"headway\[ray\]"):
        train_on_ray(adapted, out=tmp_path / "run", workers=1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One for all tests: to start it takes longer than they do."""
    pytest.importorskip("ray", reason="Ray is not installed")
    from headway.data.ray_cluster import ray_cluster

    with ray_cluster(2, "local"):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_two_workers_train_what_one_process_does(tmp_path: Path) -> None:
    out, interrupts = tmp_path / "adapted", signal.getsignal(signal.SIGINT)
    report = train_on_ray(adapted, out=out, workers=2)
    assert report == json.loads((out / "report.json").read_text("utf-8"))
    assert signal.getsignal(signal.SIGINT) is interrupts  # Ctrl-C is the caller's again
    adapted(out=tmp_path / "one")
    same(tmp_path / "one", out, 2e-4)
    train_on_ray(pretrained, "bert", out=tmp_path / "two", workers=2, sharding="full")
    pretrained("bert", out=tmp_path / "alone")
    same(tmp_path / "alone", tmp_path / "two", 2e-4)
    names = ["adapted", "alone", "one", "two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_lost_worker_is_started_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = {"out": tmp_path / "two", "workers": 2, "sharding": "full"}
    with pytest.raises(HeadwayError, match="lost on the Ray cluster"):
        train_on_ray(lost_once, **given)
    assert (tmp_path / "two" / "training").is_dir()
    train_on_ray(lost_once, restarts=1, **given)
    assert "all are started again" in caplog.text
    adapted(out=tmp_path / "one")
    same(tmp_path / "one", tmp_path / "two", 2e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_what_a_worker_refuses_is_refused_here(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="whole matrices"):
        train_on_ray(adapted, out=tmp_path / "run", workers=2, optimiser="muon",
                     sharding="full", restarts=3)  # fmt: skip
