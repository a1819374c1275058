"""Corpora of several files and formats, and what comes out of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from headway.data import Dataset, read, write
from headway.data.shards.folder import Shards

Row = Mapping[str, Any]


def corpus_rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of text in several scripts, with a label and numbers."""
    rng = random.Random(seed)
    words = ["good", "day", "über", "語", "😀", "naïve"]
    return [
        {
            "text": " ".join(rng.choices(words, k=rng.randint(1, 12))),
            "lang": rng.choice(["en", "de"]),
            "n": number,
        }
        for number in range(count)
    ]


def write_jsonl(path: Path, rows: Iterable[Row]) -> Path:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), "utf-8", newline="")
    return path


def write_corpus(folder: Path, suffix: str, *, files: int = 3, rows: int = 300) -> Path:
    """A folder of files, each large enough to be cut by a small `shard_bytes`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        made = corpus_rows(rows, number)
        path = folder / f"part{number}{suffix}"
        if suffix == ".txt":
            path.write_text("".join(row["text"] + "\n" for row in made), "utf-8", newline="")
        elif suffix == ".parquet":
            _write_parquet(path, made)
        elif suffix == ".arrow":
            _write_arrow(path, made)
        else:
            write(Dataset.from_rows(made), path)
    return folder


def _write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow.parquet as parquet

    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=70)


def _write_arrow(path: Path, rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table, max_chunksize=70)


def one(path: str | Path, **options: Any) -> Dataset:
    data = read(path, **options)
    assert isinstance(data, Dataset)
    return data


def contents(shards: Shards) -> dict[str, bytes]:
    """The names of the shards with their bytes."""
    return {file.name: file.read_bytes() for file in shards.files}


def visible_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
