from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings

from headway.data import BadRows, read
from headway.data.formats import parts
from headway.data.formats.columnar import open_arrow
from headway.data.reading.stream import stream, write_arrow
from headway.errors import ConfigError, DataError, OutputError

from ..formats.test_columnar import TABLE, write_stream
from ..formats.test_lines import lines, rows
from ..formats.test_source import PLACES
from ..helpers import one

CSV = b"name,n,m,e\na,,1,\nb,1,2,\nc,2.5,x,\n"


@pytest.mark.parametrize("name", [*PLACES, "b.csv"])
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_every_format_as_read_gives_it(name: str, block_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(PLACES[name] % b"." if name in PLACES else CSV)
    with mock.patch.object(parts, "BLOCK_BYTES", block_bytes):
        expected = one(path).to_arrow()
        reader = stream(path)
        assert reader.schema == expected.schema
        assert reader.read_all().equals(expected)
        assert open_arrow(write_arrow(path, tmp_path / "out.arrow")).equals(expected)


def test_columns_with_types_of_their_own(tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    parquet.write_table(TABLE, tmp_path / "a.parquet")
    write_stream(TABLE, tmp_path / "a.arrow")
    for path in (tmp_path / "a.parquet", tmp_path / "a.arrow"):
        assert stream(path).read_all().equals(one(path).to_arrow())


@settings(deadline=None)  # threads start whenever the machine likes
@given(rows=rows)
def test_objects_whose_types_grow(rows: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_bytes(lines(*rows))
    with mock.patch.object(parts, "BLOCK_BYTES", 1):
        try:
            expected = one(path).to_arrow()
        except DataError as refused:
            for read_it in (lambda: stream(path).read_all(), lambda: write_arrow(path, path)):
                with pytest.raises(DataError) as caught:
                    read_it()
                assert str(caught.value) == str(refused)
            return
        assert stream(path).read_all().to_pylist() == expected.to_pylist()
        written = open_arrow(write_arrow(path, path.with_suffix(".arrow")))
        assert written.schema == expected.schema
        assert written.to_pylist() == expected.to_pylist()


def test_bad_rows_are_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV + b"only\n" + CSV)
    with mock.patch.object(parts, "BLOCK_BYTES", 1):
        for read_it in (
            lambda bad: stream(tmp_path / "a.csv", bad_rows=bad, header=True).read_all(),
            lambda bad: write_arrow(
                tmp_path / "a.csv", tmp_path / "o.arrow", bad_rows=bad, header=True
            ),
        ):
            bad = BadRows()
            read_it(bad)
            assert (bad.count, bad.first[0].line) == (1, 5)


def test_types_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines({"a": 1}, {"a": 2.5}))
    schema = pa.schema([("a", pa.float64()), ("b", pa.string())])
    table = stream(tmp_path / "a.jsonl", schema=schema).read_all()
    assert table.to_pylist() == [{"a": 1.0, "b": None}, {"a": 2.5, "b": None}]
    for schema in (pa.schema([("a", pa.int64())]), pa.schema([("b", pa.string())])):
        with pytest.raises(DataError, match="other types than those given"):
            stream(tmp_path / "a.jsonl", schema=schema).read_all()
    (tmp_path / "a.csv").write_bytes(CSV)
    texts = pa.schema([(name, pa.string()) for name in ("name", "n", "m", "e")])
    assert stream(tmp_path / "a.csv", schema=texts).read_all()["n"].to_pylist() == ["", "1", "2.5"]


def test_what_is_no_file_and_what_is_no_option(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        stream(tmp_path / "absent.csv")
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n')
    with pytest.raises(ConfigError, match="header=True means nothing"):
        stream(tmp_path / "a.jsonl", header=True)
    (tmp_path / "b.jsonl").write_bytes(b"{}\n")
    for read_it in (
        lambda: stream(tmp_path / "b.jsonl").read_all(),
        lambda: write_arrow(tmp_path / "b.jsonl", tmp_path / "b.arrow"),
    ):
        with pytest.raises(DataError, match="holds no rows"):
            read_it()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.arrow").write_bytes(b"before")
    (tmp_path / "a.jsonl").write_bytes(lines(*({"a": n} for n in range(1000))) + b'{"a": ')
    with mock.patch.object(parts, "BLOCK_BYTES", 64), pytest.raises(DataError, match="line 1001"):
        write_arrow(tmp_path / "a.jsonl", tmp_path / "out.arrow")
    assert (tmp_path / "out.arrow").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


FULL = """
import resource, sys
from headway.data.reading.stream import write_arrow
from headway.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_arrow(sys.argv[1], sys.argv[2])
except OutputError as error:
    print(error)
"""


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """A limit on the size of files stands for it: the system refuses in the middle either way."""
    content = lines(*({"text": f"row {n}"} for n in range(20_000)))
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "out.arrow").write_bytes(b"before")
    found = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.jsonl"), str(tmp_path / "out.arrow")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot write" in found.stdout
    assert "out.arrow" in found.stdout
    assert "File too large. Allowed: a folder" in found.stdout
    assert (tmp_path / "a.jsonl").read_bytes() == content
    assert (tmp_path / "out.arrow").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n')
    with pytest.raises(OutputError, match="cannot write"):
        write_arrow(tmp_path / "a.jsonl", tmp_path / "nowhere" / "out.arrow")


def test_a_written_file_that_was_cut(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(*({"a": n} for n in range(100))))
    content = write_arrow(tmp_path / "a.jsonl", tmp_path / "a.arrow").read_bytes()
    for size in (0, 5, 100, len(content) - 1):
        (tmp_path / "a.arrow").write_bytes(content[:size])
        with pytest.raises(DataError, match="is not a whole Arrow file"):
            open_arrow(tmp_path / "a.arrow")


MEMORY = """
import pathlib, sys
from headway.data.reading.stream import write_arrow
write_arrow(sys.argv[1], sys.argv[2])
# The peak since this program began; that of getrusage counts the one that started it too.
print(pathlib.Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_memory_does_not_grow_with_the_file(name: str, tmp_path: Path) -> None:
    """300 MB in, at most 190 MB of memory, of which 70 are there before anything is read."""
    lines = ""
    for n in range(10_000):
        row = {"text": f"some words, as they stand in the {n}th of many rows " * 6, "n": n}
        lines += f'"{row["text"]}",{n}\n' if name == "a.csv" else json.dumps(row) + "\n"
    with (tmp_path / name).open("w") as file:
        file.write("text,n\n" if name == "a.csv" else "")
        file.writelines([lines] * 100)
    assert (tmp_path / name).stat().st_size > 300_000_000
    found = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / name), str(tmp_path / "out.arrow")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) < 190_000  # kilobytes
    written = open_arrow(tmp_path / "out.arrow")
    assert (written.num_rows, written["n"][-1].as_py()) == (1_000_000, 9_999)
    read(tmp_path / "out.arrow")
