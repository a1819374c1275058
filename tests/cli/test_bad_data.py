"""Files that are broken in every way: one clear message, exit code 2, and the file as it was."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from headway.data.cache import Store
from headway.data.reading import open as opening

from .calls import error_of, headway

CSV = b"text,label\n" + b"some words,x\nother words,y\n" * 50


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"text": ["some words"] * 50, "label": ["x"] * 50}), sink)
    return sink.getvalue()


def arrow_bytes() -> bytes:
    sink = io.BytesIO()
    table = pa.table({"text": ["some words"] * 5000, "label": ["x"] * 5000})
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    return sink.getvalue()


def footer_that_lies() -> bytes:
    """The footer's length is one of more bytes than there are."""
    content = parquet_bytes()
    return content[:-8] + (1 << 30).to_bytes(4, "little") + content[-4:]


def numbers_that_lie() -> bytes:
    """A byte in the middle of the footer is another one."""
    content = bytearray(parquet_bytes())
    length = int.from_bytes(content[-8:-4], "little")
    content[-8 - length : -8] = bytes(length)
    return bytes(content)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "ragged.csv": (lambda: CSV + b"only one\n", "line 102: 1 columns, expected 2"),
    "unclosed.csv": (lambda: CSV + b'"open,x\n', "line 102"),
    "empty.csv": (lambda: b"", "is empty"),
    "header.csv": (lambda: b"text,label\n", "holds a header line and no rows"),
    "mixed.jsonl": (
        lambda: b'{"text": "a", "label": 1}\n{"text": "b", "label": "x"}\n',
        "line 2, column 'label': text ('x'), but a number in line 1",
    ),
    "objects.jsonl": (lambda: b'{"text": "a"}\n{"text": {"b": 1}}\n', "line 2, column 'text'"),
    "cut.jsonl": (lambda: b'{"text": "a"}\n{"text": ', "line 2"),
    "latin.csv": (lambda: CSV + "café,x\n".encode("latin-1"), "line 102, byte 4: 0xe9"),
    "utf16.csv": (lambda: CSV.decode().encode("utf-16"), 'encoding="utf-16" (--encoding utf-16)'),
    "nul.csv": (lambda: CSV + b"a\0b,x\n", "line 102, byte 2: a NUL byte"),
    "cut.csv.gz": (lambda: gzip.compress(os.urandom(9000).hex().encode())[:4000], "cut"),
    "garbage.csv.gz": (lambda: b"no gzip at all", "gzip"),
    "bomb.csv.gz": (lambda: gzip.compress(b"a,b\n" * 20_000_000), "200 times"),
    "footer.parquet": (footer_that_lies, "is not a whole Parquet file"),
    "numbers.parquet": (numbers_that_lie, "is not a whole Parquet file"),
    "cut.parquet": (lambda: parquet_bytes()[:-100], "is not a whole Parquet file"),
    "cut.arrow": (lambda: arrow_bytes()[:60_000], "is not a whole Arrow file"),
    "short.arrow": (lambda: arrow_bytes()[:5], "is not a whole Arrow file"),
    "bad.xyz": (lambda: CSV, "the suffix '.xyz' says no format"),
}


@pytest.mark.parametrize("big", [False, True], ids=["read", "prepared"])
@pytest.mark.parametrize("name", BAD)
def test_what_is_broken_is_said(
    name: str, big: bool, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    if big:
        monkeypatch.setattr(opening, "BIG", -1)
    make, says = BAD[name]
    path, content = tmp_path / name, make()
    path.write_bytes(content)
    for arguments in (("data", "inspect", str(path)), ("predict", run, "--file", str(path))):
        said = error_of(headway(*arguments))
        assert says in said
        assert name in said
    assert path.read_bytes() == content
    assert Store().entries() == []


LIMITED = """
import resource, sys
from headway.cli import main
from headway.data.reading import open as opening
opening.BIG = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
main(sys.argv[1:])
"""


def test_a_disk_that_fills_up(run: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CSV * 50)
    environment = {**os.environ, "HEADWAY_CACHE": str(tmp_path / "cache")}
    for arguments in (
        ("data", "inspect", str(path)),
        ("evaluate", run, str(path)),
        ("predict", run, "--file", str(path)),
    ):
        found = subprocess.run(
            [sys.executable, "-c", LIMITED, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert (found.returncode, found.stdout) == (2, ""), found.stderr
        last = found.stderr.rstrip("\n").split("\n")[-1]
        assert last.startswith("headway: error: ")
        assert f"{tmp_path / 'cache' / 'steps'} cannot be written: File too large" in last
        assert "Traceback" not in found.stderr
    assert path.read_bytes() == CSV * 50
    assert Store(tmp_path / "cache" / "steps").entries() == []
