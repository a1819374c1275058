"""Small files are read, large ones prepared and mapped, and both give the same rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headway.data import BadRows, Dataset, Label, open_rows, read, write
from headway.data.cache import Store
from headway.data.reading import open as opening
from headway.errors import ConfigError, DataError, OutputError

from ..formats.test_folder import plant

CSV = b"text,label\na,x\nb,y\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "steps")


@pytest.fixture
def all_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BIG", 0)


def rows_of(found: Any) -> Any:
    return list(found) if isinstance(found, Dataset) else {k: list(v) for k, v in found.items()}


def test_small_files_are_read_and_nothing_is_kept(tmp_path: Path, store: Store) -> None:
    plant(tmp_path, {"a.csv": CSV})
    assert rows_of(open_rows(tmp_path / "a.csv", store=store)) == rows_of(read(tmp_path / "a.csv"))
    assert not store.folder.exists()


@pytest.mark.usefixtures("all_is_big")
def test_large_files_are_prepared(tmp_path: Path, store: Store) -> None:
    plant(tmp_path / "in", {"train.csv": CSV, "test.csv": CSV})
    for place, made in ((tmp_path / "in", 1), (tmp_path / "in" / "train.csv", 1)):
        found = open_rows(place, store=store, features={"label": Label(("x", "y"))})
        assert rows_of(found) == rows_of(read(place))
        assert len(store.history.made()) == made  # both splits hold the same bytes
        if isinstance(found, dict):
            assert list(found) == ["train", "test"]
            assert found["train"].name == f"{place} (train)"


def test_the_limit_counts_the_bytes_of_all_splits(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path / "in", {"train.csv": CSV, "test.csv": CSV})
    for limit, made in ((2 * len(CSV), 0), (2 * len(CSV) - 1, 1)):
        monkeypatch.setattr(opening, "BIG", limit)
        open_rows(tmp_path / "in", store=store)
        assert len(store.history.made()) == made


@pytest.mark.usefixtures("all_is_big")
def test_arrow_files_are_mapped_where_they_lie(tmp_path: Path, store: Store) -> None:
    write(Dataset(pa.table({"n": [1, 2]})), tmp_path / "a.arrow")
    assert rows_of(open_rows(tmp_path / "a.arrow", store=store)) == [{"n": 1}, {"n": 2}]
    assert not store.folder.exists()


@pytest.mark.usefixtures("all_is_big")
def test_bad_rows_are_counted_each_time(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    plant(tmp_path, {"a.csv": CSV + b"short\n"})
    with caplog.at_level("WARNING", logger="headway"):
        for _ in range(2):
            bad = BadRows()
            open_rows(tmp_path / "a.csv", store=store, bad_rows=bad)
            assert bad.count == 1
    assert caplog.text.count("1 row left out") == 2
    with pytest.raises(DataError, match="line 4"):
        open_rows(tmp_path / "a.csv", store=store)
    assert store.entries() == []


@pytest.mark.usefixtures("all_is_big")
def test_what_is_wrong_is_said_as_read_says_it(tmp_path: Path, store: Store) -> None:
    plant(tmp_path, {"a.csv": CSV})
    with pytest.raises(DataError, match="no file or folder"):
        open_rows(tmp_path / "b.csv", store=store)
    with pytest.raises(ConfigError, match="sample_by='line' means nothing"):
        open_rows(tmp_path / "a.csv", store=store, sample_by="line")
    (tmp_path / "steps").write_bytes(b"a file in the place of the cache")
    with pytest.raises(OutputError, match="set HEADWAY_CACHE to another folder"):
        open_rows(tmp_path / "a.csv", store=store)


MEMORY = """
import pathlib, sys
from headway.data import open_rows
def private():
    return int(pathlib.Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0])
before = private()
rows = open_rows(sys.argv[1])
last, count = rows[len(rows) - 1]["n"], len(rows)
print(last, count, private() - before)
"""


@pytest.mark.slow
def test_large_files_take_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 MB of cells: what parsing them leaves behind is bounded, and opening them takes 20 MB."""
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    lines = "".join(
        f'"{f"some words, as they stand in the {n}th of many rows " * 6}",{n}\n'
        for n in range(10_000)
    )
    with (tmp_path / "a.csv").open("w") as file:
        file.write("text,n\n")
        file.writelines([lines] * 100)
    for limit in (180_000, 20_000):
        found = subprocess.run(
            [sys.executable, "-c", MEMORY, str(tmp_path / "a.csv")],
            capture_output=True,
            text=True,
            check=True,
        )
        last, count, grown = map(int, found.stdout.split())
        assert (last, count) == (9_999, 1_000_000)
        assert grown < limit  # kilobytes that are no mapped file
    assert len(Store(tmp_path / "cache" / "steps").history.made()) == 1
