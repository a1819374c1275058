"""A disk that fills up: one clear error, nothing half written is ever read, sources are untouched.

A limit on the size of files stands for it: the system refuses in the middle of a file either way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headway.data import Dataset, prepare, read, write
from headway.data.cache import Store

ROWS = 20_000
CONTENT = b"text,n\n" + b"".join(b"row %d of a file,%d\n" % (n, n) for n in range(ROWS))

LIMITED = """
import resource, sys
from pathlib import Path
from headway.data import Label, Number, prepare, read, open_rows, write
from headway.data.cache import Store
from headway.data.reading import open as opening
from headway.errors import OutputError
opening.BIG = 0
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
data = read(source)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    {work}
except OutputError as error:
    print(error)
"""


def limited(work: str, source: Path, folder: Path) -> str:
    """What is said of an error where no file may have more than 100 kB."""
    found = subprocess.run(
        [sys.executable, "-c", LIMITED.format(work=work), str(source), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.count("\n") == 1, found.stderr
    return found.stdout


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "work",
    [
        "prepare(source, store=Store(folder / 'steps'))",
        "prepare([source, source], store=Store(folder / 'steps'))",
        "prepare(source, store=Store(folder / 'steps'), features={'n': Number()})",
        "open_rows(source, store=Store(folder / 'steps'))",
        "data.cached(Store(folder / 'steps')).map(lambda row: {'m': row['text'] * 2})",
        "data.cached(Store(folder / 'steps')).filter(lambda row: row['n'] >= 0)",
        "data.cached(Store(folder / 'steps')).sort('text')",
    ],
)
def test_what_is_kept_is_whole_or_not_there(work: str, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(CONTENT)
    said = limited(work, source, tmp_path)
    assert f"{tmp_path / 'steps'} cannot be written: File too large. Next: free some" in said
    assert "set HEADWAY_CACHE to another folder" in said
    assert source.read_bytes() == CONTENT
    store = Store(tmp_path / "steps")
    assert store.entries() == []
    assert sum(file.stat().st_size for file in files_below(store.folder)) < 1000  # locks and notes
    found = prepare(source, store=store)
    assert isinstance(found, Dataset)
    assert found["n"] == list(range(ROWS))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".arrow"])
def test_what_is_written_is_whole_or_as_it_was(suffix: str, tmp_path: Path) -> None:
    source, out = tmp_path / "a.csv", tmp_path / f"out{suffix}"
    source.write_bytes(CONTENT)
    write(Dataset.from_columns({"n": [1]}), out)
    before = out.read_bytes()
    said = limited(f"write(data, folder / 'out{suffix}')", source, tmp_path)
    assert f"cannot write {out}: File too large. Allowed: a folder that exists" in said
    assert (source.read_bytes(), out.read_bytes()) == (CONTENT, before)
    assert files_below(tmp_path) == sorted([source, out])
    assert len(read(out)) == 1


KILLED = """
import sys
from pathlib import Path
from headway.data import prepare
from headway.data.cache import Store
prepare(sys.argv[1], store=Store(sys.argv[2]))
"""


def test_a_process_that_is_killed_while_it_prepares(tmp_path: Path) -> None:
    """At any time: what it has left is no result, and is gone once there is one."""
    source, store = tmp_path / "a.csv", Store(tmp_path / "steps")
    source.write_bytes(CONTENT * 20)  # header lines in between are rows of text
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(source), str(store.folder)])
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if any(store.folder.glob(".unfinished-*/.*.unfinished")):
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    assert process.wait() == -signal.SIGKILL
    assert any(store.folder.glob(".unfinished-*"))
    assert store.entries() == []
    found = prepare(source, store=store)
    assert list(found) == list(read(source))
    (entry,) = store.entries()
    names = [file.name for file in files_below(entry.path)]
    assert names == ["part-00000.arrow", "step.json"]
    assert not list(store.folder.glob(".unfinished-*"))
