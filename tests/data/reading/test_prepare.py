"""A file is parsed once for each content, and read once for each state on disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from headway.data import BadRows, Dataset, prepare, read
from headway.data.cache import Store, files
from headway.errors import ConfigError, DataError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "steps")


def write(path: Path, rows: int, *, age: float = 60) -> Path:
    path.write_text("text,n\n" + "".join(f"word {n},{n}\n" for n in range(rows)))
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def made(store: Store) -> int:
    return len(store.history.made())


def test_a_file_is_parsed_once(tmp_path: Path, store: Store) -> None:
    path = write(tmp_path / "rows.csv", 3000)
    first, second = prepare(path, store=store), prepare(path, store=store)
    whole = read(path)
    assert isinstance(whole, Dataset)
    assert list(first) == list(second) == list(whole)
    assert first.fingerprint == whole.fingerprint
    assert made(store) == 1
    doubled = [prepare(path, store=store).map(lambda row: {"n": row["n"] * 2}) for _ in range(2)]
    assert doubled[0]["n"] == doubled[1]["n"] == [2 * n for n in range(3000)]
    assert made(store) == 2
    write(path, 3001)
    assert len(prepare(path, store=store)) == 3001
    write(path, 3000)
    assert len(prepare(path, store=store)) == 3000
    assert made(store) == 3
    assert len(prepare(path, format="txt", store=store)) == 3001
    assert made(store) == 4
    (entry,) = [entry for entry in store.entries() if entry.key == store.history.made()[0].key]
    assert sorted(file.name for file in entry.path.iterdir()) == ["part-00000.arrow", "step.json"]


def test_a_file_that_did_not_change_is_not_read(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "rows.csv", 10)
    digest = files.file_digests([path], store.folder)
    fresh = write(tmp_path / "fresh.csv", 10, age=0)
    assert files.file_digests([fresh], store.folder) == digest

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(files, "_read", refuse)
    assert files.file_digests([path], store.folder) == digest
    with pytest.raises(AssertionError, match="read again"):  # a write may not show in its times yet
        files.file_digests([fresh], store.folder)
    write(path, 10, age=61)
    with pytest.raises(AssertionError, match="read again"):
        files.file_digests([path], store.folder)


def test_what_cannot_be_prepared(tmp_path: Path, store: Store) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        prepare(tmp_path / "absent.csv", store=store)
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"a": 1}\n{"a"\n')
    with pytest.raises(DataError, match="line 2"):
        prepare(broken, store=store)
    with pytest.raises(ConfigError, match="bad rows"):
        prepare(broken, store=store, bad_rows=BadRows())
    assert store.entries() == []
