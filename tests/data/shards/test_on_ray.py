"""A Ray cluster of several processes writes what one process writes, also when one is killed."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.data import BadRows, scan
from headway.data import compute as pc
from headway.errors import ConfigError, DataError, HeadwayError
from headway.tokenizer import Tokenizer

from .helpers import contents, corpus_rows, one, visible_in, write_corpus, write_jsonl

ray = pytest.importorskip("ray", reason="Ray is not installed")

TOKENIZER = Tokenizer.from_document(
    {
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "GOOD": 1, "DAY": 2}},
    }
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Three processes, of which the tests below are one user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # for this module
        ray.init(
            address="local",
            num_cpus=3,
            include_dashboard=False,
            object_store_memory=100 << 20,
            log_to_driver=False,
            logging_level="error",
        )
    yield
    ray.shutdown()


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(400)))


def piped(data: Any, *, text_only: bool = False) -> Any:
    """The same verbs on a plan or on a data set, with a function that no module has."""
    if not text_only:
        data = data.filter(pc.field("lang") == "en")
    data = data.map(lambda row: {"text": row["text"].upper(), "by": len(row["text"])})
    return data.tokenize(TOKENIZER).filter(lambda row: row["by"] > 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "format"),
    [(".jsonl", "parquet"), (".csv", "arrow"), (".parquet", "arrow"), (".txt", "parquet")],
)
@pytest.mark.usefixtures("cluster")
def test_shards_are_those_of_one_process(suffix: str, format: str, tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "in", suffix)
    plan = piped(scan(folder, shard_bytes=8000), text_only=suffix == ".txt")
    alone = plan.write(tmp_path / "alone", format=format)
    there = plan.write(tmp_path / "ray", format=format, engine="ray")
    assert len(there.files) >= 3
    assert contents(there) == contents(alone)
    assert there.made == alone.made
    expected = piped(one(folder), text_only=suffix == ".txt")
    assert one(there.folder).fingerprint == expected.fingerprint


def _die(row: dict[str, Any], *, marker: Path) -> dict[str, Any]:
    if row["n"] == 250 and not marker.exists():
        marker.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return {"m": row["n"], "worker": os.getpid()}


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_worker_that_is_killed_changes_nothing(numbers: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    plan = scan(numbers, shard_bytes=500).map(functools.partial(_die, marker=marker))
    made = plan.write(tmp_path / "out", engine="ray")
    data = one(made.folder)
    assert data["m"] == list(range(400))
    workers = set(data["worker"])
    assert int(marker.read_text()) != data["worker"][250]
    assert os.getpid() not in workers
    assert len(workers) > 1
    assert visible_in(made.folder) == [file.name for file in made.files]
    assert not (made.folder / ".unfinished").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_worker_that_dies_each_time_is_told(numbers: Path, tmp_path: Path) -> None:
    def always(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 250:
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    plan = scan(numbers, shard_bytes=2000).map(always)
    with pytest.raises(HeadwayError, match=r"a\.jsonl, bytes .* was ended 4 times"):
        plan.write(tmp_path / "out", engine="ray")


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_errors_are_those_of_one_process(numbers: Path, tmp_path: Path) -> None:
    def fail(row: dict[str, Any]) -> dict[str, Any]:
        if row["n"] == 250:
            raise DataError("two hundred and fifty", allowed="less", next_step="begin anew")
        return {}

    caught = {}
    for engine in ("local", "ray"):
        with pytest.raises(DataError) as error:
            scan(numbers, shard_bytes=500).map(fail).write(tmp_path / engine, engine=engine)
        caught[engine] = error.value
        assert any("a.jsonl, bytes" in note for note in error.value.__notes__)
    assert str(caught["local"]) == str(caught["ray"])
    assert caught["ray"].next_step == "begin anew"
    rows: list[dict[str, Any]] = corpus_rows(100)
    path = write_jsonl(tmp_path / "bad.jsonl", rows)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines[:80], "{oops}\n", *lines[80:]]), "utf-8")
    with pytest.raises(DataError, match=r"bad\.jsonl line 81: not JSON"):
        scan(path, shard_bytes=500).write(tmp_path / "no", engine="ray")
    bad = BadRows()
    plan = scan(path, shard_bytes=500, bad_rows=bad)
    assert plan.write(tmp_path / "good", engine="ray").rows == 100
    assert [row.line for row in bad.first] == [81]


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_finished_shards_are_not_made_again(numbers: Path, tmp_path: Path) -> None:
    """What one engine has finished, the other does not do again."""
    marker, out = tmp_path / "marker", tmp_path / "out"
    plan = scan(numbers, shard_bytes=500).map(functools.partial(_die, marker=marker))
    with pytest.raises(HeadwayError, match="signal 9"):
        plan.write(out, workers=2)
    made = plan.write(out, engine="ray")
    assert 0 < made.made < len(made.files)
    assert one(out)["m"] == list(range(400))
    assert plan.write(out, engine="ray").made == 0


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_workers_limit_the_tasks_at_a_time(numbers: Path, tmp_path: Path) -> None:
    """Each task begins when the one before has ended: their marks never lie side by side."""
    now = tmp_path / "now"
    now.mkdir()

    def watched(rows: dict[str, Any]) -> dict[str, Any]:
        mark = now / str(rows["n"][0])
        mark.touch()
        time.sleep(0.7)
        seen = len(list(now.iterdir()))
        mark.unlink()
        return {"seen": [seen] * len(rows["n"])}

    plan = scan(numbers, shard_bytes=700).map(watched, batched=True)
    alone = plan.write(tmp_path / "one", engine="ray", workers=1)
    assert set(one(alone.folder)["seen"]) == {1}
    several = plan.write(tmp_path / "all", engine="ray")
    assert max(one(several.folder)["seen"]) > 1
    with pytest.raises(ConfigError, match="0 workers"):
        scan(numbers).write(tmp_path / "no", engine="ray", workers=0)


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_an_address_beside_a_connection_is_refused(numbers: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="connected to a cluster already"):
        scan(numbers).write(tmp_path / "out", engine="ray", address="auto")
