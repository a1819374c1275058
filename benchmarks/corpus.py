"""The English text of tokenizers and pre-training: what documentation packages of Debian hold.

About 200 MB, rich in dictionaries and so in words that come once, which is hard on caches of words.
Packages are fetched by apt-get and unpacked into the cache folder; nothing is installed.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from headway.config import cache_folder
from headway.data import Dataset

PACKAGES = [
    *("bible-kjv-text", "debian-handbook", "dict-devil", "dict-elements", "dict-foldoc"),
    *("dict-gcide", "dict-jargon", "dict-vera", "dict-wn", "linux-doc-6.1", "python3.11-doc"),
    "wordnet-base",
]
SIZE = 195_000_000  # bytes of text, at least
RECORD = 2_500  # characters of a record, at least; it ends with a paragraph
SKIPPED = (".png", ".svg", ".gif", ".xpm", ".js", ".css", ".index")

FOLDER = cache_folder() / "benchmarks"


def english() -> pa.ChunkedArray:
    """The records, as a memory-mapped column of strings; made when first asked for."""
    path = FOLDER / "english.arrow"
    if not path.exists():
        _make(path)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()["text"]


def some_english(megabytes: float) -> Dataset:
    """About so much of it, from all over; a data set with a column `text`."""
    column = english()
    every = max(1, int(column.nbytes / 1e6 / megabytes))
    return Dataset.from_columns({"text": column.take(list(range(0, len(column), every)))})


def _make(path: Path) -> None:
    unpacked = FOLDER / "packages"
    unpacked.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        _unpack(name, unpacked)
    records: list[str] = []
    size = 0
    for record in _records(unpacked):
        records.append(record)
        size += len(record.encode())
        if size >= SIZE:
            break
    digest = hashlib.sha256("\0".join(records).encode()).hexdigest()
    table = pa.table({"text": pa.array(records, pa.large_string())})
    temporary = path.with_suffix(".tmp")
    with pa.OSFile(str(temporary), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    temporary.replace(path)
    print(f"{path}: {len(records):,} records, {size:,} bytes, sha256 {digest}", file=sys.stderr)


def _unpack(name: str, folder: Path) -> None:
    """One package's files, without installing it."""
    if (folder / name).exists():
        return
    found = subprocess.run(
        ["apt-get", "download", "-qq", name], cwd=folder, capture_output=True, text=True
    )
    archives = sorted(folder.glob(f"{name}_*.deb"))
    if found.returncode or not archives:
        sys.exit(
            f"the package {name} cannot be had: {found.stderr.strip() or 'apt-get gave nothing'}\n"
            "run `apt-get update` first, on a Debian system"
        )
    subprocess.run(["dpkg-deb", "-x", archives[-1], folder / name], check=True)
    archives[-1].unlink()


def _records(folder: Path) -> Iterator[str]:
    """Texts of a few paragraphs, file by file in the order of their names."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = _text_of(path)
        record = ""
        for paragraph in re.sub(r"\n{3,}", "\n\n", text).split("\n\n"):
            record += paragraph + "\n\n"
            if len(record) > RECORD:
                yield record
                record = ""
        if record.strip():
            yield record


def _text_of(path: Path) -> str:
    if path.suffix in SKIPPED:
        return ""
    data = path.read_bytes()
    if path.suffix in (".gz", ".dz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError):
            return ""
    if b"\0" in data[:1000]:
        return ""
    text = data.decode("utf-8", "replace")
    if path.suffix == ".html":
        if "debian-handbook" in path.parts and "en-US" not in path.parts:
            return ""  # the other languages of the same book
        text = re.sub(r"(?s)<(script|style).*?</\1>", "", text)
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return text


if __name__ == "__main__":
    column = english()
    print(f"{len(column):,} records, {column.nbytes:,} bytes")
