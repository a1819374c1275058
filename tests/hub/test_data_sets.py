"""Data sets of a hub, from its files to rows: what reads files of this machine reads these too."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from headway.data import Dataset, Label, prepare, read, stream
from headway.data.cache import Store
from headway.data.formats.compression import COMPRESSIONS
from headway.data.reading.files import SUFFIXES
from headway.errors import DataError, ResolveError
from headway.hub.wheels import DATA_SUFFIXES

from .fakehub import FakeHub

CSV = b"text,label\na,x\nb,y\n"
NAME = "hf://datasets/org/news"


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def shard(*texts: str) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"text": texts, "label": [len(text) for text in texts]}), sink)
    return sink.getvalue()


def splits_of(found: Any) -> dict[str, list[str]]:
    assert isinstance(found, dict)
    return {split: part["text"] for split, part in found.items()}


def test_whatever_is_read_is_downloaded() -> None:
    assert set(SUFFIXES) | set(COMPRESSIONS) <= DATA_SUFFIXES


@pytest.mark.parametrize(
    ("suffix", "packed"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", zstd),
    ],
)
def test_compressed_files_with_splits(
    hub: FakeHub, suffix: str, packed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    files = {f"{split}.csv{suffix}": packed(CSV) for split in ("train", "test")}
    hub.add("org/news", {**files, "README.md": b"# News"}, kind="datasets")
    expected = {"train": ["a", "b"], "test": ["a", "b"]}
    assert splits_of(read(NAME)) == expected
    assert splits_of(prepare(NAME, store=Store(tmp_path / "steps"))) == expected
    one = read(f"{NAME}/test.csv{suffix}")
    assert isinstance(one, Dataset)
    assert (one["label"], one.name) == (["x", "y"], f"{NAME}/test.csv{suffix}")
    rows = stream(f"{NAME}/test.csv{suffix}", features={"label": Label(("x", "y"))}).read_all()
    assert rows["label"].to_pylist() == ["x", "y"]


def test_shards_of_parquet(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "data/train-00000-of-00002.parquet": shard("a", "bb"),
        "data/train-00001-of-00002.parquet": shard("ccc"),
        "data/validation-00000-of-00001.parquet": shard("d"),
        "dataset_infos.json": b"{}",
        "news.py": b"raise SystemExit",
    }
    hub.add("org/news", files, kind="datasets")
    expected = {"train": ["a", "bb", "ccc"], "validation": ["d"]}
    store = Store(tmp_path / "steps")
    assert splits_of(read(NAME)) == splits_of(prepare(NAME, store=store)) == expected
    assert not any(path.endswith(".py") for path in hub.downloaded())
    hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert splits_of(read(NAME)) == splits_of(prepare(NAME, store=store)) == expected
    assert len(store.history.made()) == 2
    assert hub.requests == []


def test_a_shard_that_is_missing(hub: FakeHub) -> None:
    hub.add("org/news", {"train-00001-of-00002.parquet": shard("a")}, kind="datasets")
    with pytest.raises(DataError, match="1 of 2 files are there; the first that is missing is n"):
        read(NAME)


def test_a_new_revision_is_prepared_anew(hub: FakeHub, tmp_path: Path) -> None:
    store = Store(tmp_path / "steps")
    for text, revision in ((b"old", "v1"), (b"new", "main")):
        hub.add("org/news", {"a.txt": text + b"\n"}, kind="datasets", revision=revision)
    for name, text in ((f"{NAME}@v1", "old"), (NAME, "new"), (f"{NAME}@v1", "old")):
        found = prepare(name, store=store)
        assert isinstance(found, Dataset)
        assert found["text"] == [text]
    assert len(store.history.made()) == 2


def test_a_repository_without_rows(hub: FakeHub) -> None:
    hub.add("org/news", {"README.md": b"# News", "news.py": b""}, kind="datasets")
    with pytest.raises(DataError, match="holds nothing to read"):
        read(NAME)
    with pytest.raises(ResolveError, match="has no dataset 'org/old'"):
        prepare("hf://datasets/org/old")
