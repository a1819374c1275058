"""A folder holds the shards of one plan, whole; what a killed run has finished is kept."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headway.data import scan
from headway.data.shards import plan as plans
from headway.data.shards.plan import Plan
from headway.data.shards.writer import FORMATS, ShardWriter, digest_of
from headway.errors import DataError, OutputError

from .helpers import contents, one, visible_in, write_jsonl


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "a.jsonl", ({"n": n} for n in range(400)))


def double(row: dict[str, Any]) -> dict[str, Any]:
    return {"m": 2 * row["n"]}


def triple(row: dict[str, Any]) -> dict[str, Any]:
    return {"m": 3 * row["n"]}


def small(path: Path) -> Plan:
    return scan(path, shard_bytes=500)


def test_a_second_call_makes_nothing(numbers: Path, tmp_path: Path) -> None:
    first = small(numbers).map(double).write(tmp_path / "out")
    assert first.made == len(first.files)
    before = {path: path.stat().st_mtime_ns for path in first.files}
    second = small(numbers).map(double).write(tmp_path / "out")
    assert (second.made, second.files, second.rows) == (0, first.files, first.rows)
    assert {path: path.stat().st_mtime_ns for path in second.files} == before


def test_the_manifest_tells_each_shard(numbers: Path, tmp_path: Path) -> None:
    made = small(numbers).map(double).write(tmp_path / "out")
    told = json.loads((made.folder / ".shards.json").read_text())
    assert told["rows"] == made.rows == 400
    assert told["schema"] == "n: int64, m: int64"
    assert [shard["file"] for shard in told["shards"]] == [file.name for file in made.files]
    for shard, file in zip(told["shards"], made.files, strict=True):
        assert shard["bytes"] == file.stat().st_size
        assert shard["hash"] == digest_of(file)
        assert shard["rows"] == len(one(file))
    assert sorted(path.name for path in made.folder.iterdir() if path.name[0] == ".") == [
        ".shards.json"
    ]


def test_shards_of_another_plan_are_refused(numbers: Path, tmp_path: Path) -> None:
    made = small(numbers).map(double).write(tmp_path / "out")
    before = contents(made)
    for other, what in (
        (small(numbers).map(triple), "code of .*double is gone"),
        (small(numbers), "is gone"),
        (scan(numbers, shard_bytes=600).map(double), "shard_bytes was 500 and is 600"),
    ):
        with pytest.raises(OutputError, match=rf"the shards of another plan: .*{what}"):
            other.write(tmp_path / "out")
    with pytest.raises(OutputError, match="format was parquet and is arrow"):
        small(numbers).map(double).write(tmp_path / "out", format="arrow")
    os.utime(numbers, (1, 1))
    with pytest.raises(OutputError, match="names and times of files has changed"):
        small(numbers).map(double).write(tmp_path / "out")
    assert contents(made) == before


def test_a_folder_with_other_files_is_refused(numbers: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        small(numbers).write(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_a_shard_that_is_gone_or_cut_is_told(numbers: Path, tmp_path: Path) -> None:
    made = small(numbers).write(tmp_path / "out")
    whole = made.files[1].read_bytes()
    made.files[1].write_bytes(whole[:-1])
    with pytest.raises(OutputError, match=r"part-00001-of.* is missing or not as it was written"):
        small(numbers).write(tmp_path / "out")
    made.files[1].unlink()
    with pytest.raises(OutputError, match=r"part-00001-of.* is missing"):
        small(numbers).write(tmp_path / "out")


def test_a_place_that_cannot_be_written_is_told(numbers: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        small(numbers).write(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot write"):
        small(numbers).write(tmp_path / "file" / "below")


def test_a_corrected_function_begins_anew_until_a_shard_is_finished(
    numbers: Path, tmp_path: Path
) -> None:
    def wrong(row: dict[str, Any]) -> dict[str, Any]:
        raise DataError("wrong")

    def late(row: dict[str, Any]) -> dict[str, Any]:
        return wrong(row) if row["n"] > 200 else {}

    with pytest.raises(DataError, match="wrong"):
        small(numbers).map(wrong).write(tmp_path / "out")
    with pytest.raises(DataError, match="wrong"):
        small(numbers).map(late).write(tmp_path / "out")
    with pytest.raises(OutputError, match=r"unfinished shards of another plan.*begin anew"):
        small(numbers).map(double).write(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".unfinished")
    assert small(numbers).map(double).write(tmp_path / "out").rows == 400


def _until_killed(source: Path, folder: Path, marks: Path, workers: int, deadly: bool) -> None:
    def f(row: dict[str, Any]) -> dict[str, Any]:
        if deadly and row["n"] == 250:
            os.kill(os.getppid() if workers > 1 else os.getpid(), signal.SIGKILL)
            time.sleep(5)
        with marks.open("a") as file:
            file.write(f"{row['n']}\n")
        return {"m": row["n"] + 1}

    # The switch is not code of the function: both runs have one plan.
    plans.reached = lambda **arguments: {"arguments": str(sorted(arguments))}  # type: ignore[assignment]
    small(source).map(f).write(folder, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on_behind_its_finished_shards(
    workers: int, numbers: Path, tmp_path: Path
) -> None:
    out, marks = tmp_path / "out", tmp_path / "marks"
    context = multiprocessing.get_context("fork")

    def run(deadly: bool) -> int | None:
        process = context.Process(target=_until_killed, args=(numbers, out, marks, workers, deadly))
        process.start()
        process.join(60)
        return process.exitcode

    assert run(deadly=True) == -signal.SIGKILL
    assert visible_in(out) == []
    time.sleep(0.5)  # in which workers without a parent end
    finished = [
        json.loads(path.read_text())["rows"] for path in (out / ".unfinished").glob("[0-9]*.json")
    ]
    assert len(finished) >= 3
    marks.write_text("")
    assert run(deadly=False) == 0
    again = [int(line) for line in marks.read_text().split()]
    assert len(again) == len(set(again)) == 400 - sum(finished)
    assert one(out)["m"] == list(range(1, 401))
    fresh = small(numbers).map(lambda row: {"m": row["n"] + 1}).write(tmp_path / "fresh")
    assert {file.name: file.read_bytes() for file in sorted(out.glob("part-*"))} == contents(fresh)


def test_a_run_killed_while_shards_get_their_names_goes_on(
    numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    expected = small(numbers).map(double).write(tmp_path / "fresh")
    replace, times = Path.replace, 0

    def interrupted(path: Path, target: Path) -> Path:
        nonlocal times
        if Path(target).name.startswith("part-"):
            times += 1
            if times == 3:
                raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small(numbers).map(double).write(out)
    assert len(visible_in(out)) == 2
    monkeypatch.undo()
    with pytest.raises(OutputError, match="unfinished shards of another plan"):
        small(numbers).map(triple).write(out)
    made = small(numbers).map(double).write(out)
    assert made.made == 0
    assert contents(made) == contents(expected)
    assert not (out / ".unfinished").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_leaves_no_half_shard(workers: int, numbers: Path, tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from headway.data import scan
def slow(row):
    if row["n"] > 100:
        Path(sys.argv[2], "begun").touch()
        time.sleep(0.05)
    return {}
scan(sys.argv[1], shard_bytes=500).map(slow).write(sys.argv[2] + "/out", workers=int(sys.argv[3]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(numbers), str(tmp_path), str(workers)],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in error
    out = tmp_path / "out"
    assert visible_in(out) == []
    whole = sorted(path.stem for path in (out / ".unfinished").glob("[0-9]*.parquet"))
    told = sorted(path.stem for path in (out / ".unfinished").glob("[0-9]*.json"))
    assert told and {*told} <= {*whole}  # what is told of a shard is written behind it
    for name in whole:
        assert len(one(out / ".unfinished" / f"{name}.parquet"))


def test_two_calls_at_a_time_make_one_folder(numbers: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    marks = tmp_path / "marks"
    processes = [
        context.Process(target=_until_killed, args=(numbers, tmp_path / "out", marks, 1, False))
        for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(marks.read_text().split()) == 400


@pytest.mark.parametrize("format", FORMATS)
def test_a_writer_gives_back_what_came_with_the_widest_types(format: str, tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path / "a", format)
    tables: list[dict[str, list[Any]]] = [
        {"v": [None, None]},
        {"v": [1]},
        {"v": [2.5], "w": ["x"]},
        {"v": [3]},
    ]
    for table in tables:
        writer.write(pa.table(table))
    writer.close()
    assert writer.rows == 5
    rows = pa.concat_tables(FORMATS[format].tables(tmp_path / "a")).to_pylist()
    assert [row["v"] for row in rows] == [None, None, 1.0, 2.5, 3.0]
    assert [row["w"] for row in rows] == [None, None, None, "x", None]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(DataError, match="changes its type"):
        writer.write(pa.table({"v": ["text"]}))


MEMORY = """
import pathlib, sys
from headway.data import scan
made = scan(sys.argv[1]).map(lambda row: {"n": row["n"] + 1}).write(sys.argv[2], format=sys.argv[3])
print(made.rows, len(made.files))
# The peak since this program began; that of getrusage counts the one that started it too.
print(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "format"), [("a.jsonl", "parquet"), ("a.jsonl.gz", "arrow")])
def test_memory_does_not_grow_with_the_data(name: str, format: str, tmp_path: Path) -> None:
    """270 MB in, as five shards or as one, and less than 320 MB of memory, of which 70 are
    there before anything is read.
    """
    rows_of_many = (
        {"text": f"{n} words as they stand in rows " * 9, "n": n} for n in range(10_000)
    )
    lines = "".join(json.dumps(row) + "\n" for row in rows_of_many)
    opener: Any = partial(gzip.open, compresslevel=1) if name.endswith(".gz") else open
    with opener(tmp_path / name, "wt") as file:
        file.writelines([lines] * 86)
    found = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / name), str(tmp_path / "out"), format],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, shards, peak = map(int, found.stdout.split())
    assert (rows, shards) == (860_000, 1 if name.endswith(".gz") else 5)
    assert peak < 320_000  # kilobytes
