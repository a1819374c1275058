from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headway.errors import DataError

from ..helpers import one

TABLE = pa.table(
    {
        "text": ["a", "b", "", "ä漢"],
        "label": pa.array([1, 0, None, 1], pa.int8()),
        "tokens": [["x"], [], ["y", "z"], None],
    }
)


def write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path)


def write_arrow(table: pa.Table, path: Path) -> None:
    with pa.OSFile(os.fspath(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)


def write_stream(table: pa.Table, path: Path) -> None:
    with pa.OSFile(os.fspath(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as file:
        file.write_table(table)


kinds = pytest.mark.parametrize(
    ("name", "save"),
    [("a.parquet", write_parquet), ("a.arrow", write_arrow), ("stream.arrow", write_stream)],
)


@kinds
def test_rows_and_types_survive(name: str, save: object, tmp_path: Path) -> None:
    save(TABLE, tmp_path / name)  # type: ignore[operator]  # one of the three writers above
    assert one(tmp_path / name).to_arrow().equals(TABLE)


@kinds
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_refused(name: str, save: object, keep: float, tmp_path: Path) -> None:
    path = tmp_path / name
    save(pa.concat_tables([TABLE] * 50), path)  # type: ignore[operator]  # one of the three
    content = path.read_bytes()
    if name == "stream.arrow" and keep == 0.99:
        keep = 0.97  # the last bytes of a stream only mark its end
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(DataError, match="is not a whole"):
        one(path)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
@pytest.mark.parametrize("content", [b"", b"text,label\na,b\n", b"PAR1", b"ARROW1", b"\xff" * 64])
def test_other_content_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=name):
        one(path)


def test_offsets_that_point_outside_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_arrow(pa.table({"t": ["needle-one", "needle-two"]}), path)
    content = path.read_bytes()
    good = pa.array([0, 10, 20], pa.int32()).buffers()[1].to_pybytes()[:12]
    assert content.count(good) == 1
    bad = pa.array([0, 10, 2**30], pa.int32()).buffers()[1].to_pybytes()[:12]
    path.write_bytes(content.replace(good, bad))
    with pytest.raises(DataError, match="not a whole Arrow file"):
        one(path)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_no_rows_and_no_columns_are_refused(name: str, tmp_path: Path) -> None:
    save = write_parquet if name == "a.parquet" else write_arrow
    save(TABLE.slice(0, 0), tmp_path / name)
    with pytest.raises(DataError, match="0 rows and 3 columns"):
        one(tmp_path / name)


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    write_arrow(pa.table([["a"], ["b"]], names=["t", "t"]), tmp_path / "a.arrow")
    with pytest.raises(DataError, match="'t' stands there more than once"):
        one(tmp_path / "a.arrow")


def test_categories_become_their_values(tmp_path: Path) -> None:
    column = pa.array(["x", "y", "x"]).dictionary_encode()
    write_arrow(pa.table({"label": column}), tmp_path / "a.arrow")
    data = one(tmp_path / "a.arrow")
    assert data.column("label").type == pa.string()
    assert data["label"] == ["x", "y", "x"]


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.fspath(self.path),)


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_pickle_in_the_metadata_stays_closed(name: str, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    field = pa.field(
        "text",
        pa.string(),
        metadata={
            b"ARROW:extension:name": b"arrow.py_extension_type",
            b"ARROW:extension:metadata": pickle.dumps(Trap(trap)),
        },
    )
    table = pa.table([pa.array(["a"])], schema=pa.schema([field]))
    (write_parquet if name == "a.parquet" else write_arrow)(table, tmp_path / name)
    assert one(tmp_path / name)["text"] == ["a"]
    assert not trap.exists()


def test_arrow_files_are_mapped_and_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_arrow(pa.table({"t": ["x" * 1000] * 20_000}), path)
    before = pa.total_allocated_bytes()
    data = one(path)
    assert pa.total_allocated_bytes() - before < 1_000_000 < path.stat().st_size
    assert data[19_999]["t"] == "x" * 1000


def damaged(good: bytes, chance: random.Random) -> bytes:
    """A file with wrong bytes, most of them near its end, where the footer is; or cut short."""
    content = bytearray(good)
    for _ in range(chance.choice([1, 1, 2, 8])):
        back = chance.randrange(min(len(good), 2000)) if chance.random() < 0.7 else 0
        place = len(good) - 1 - back if back else chance.randrange(len(good))
        flipped = content[place] ^ (1 << chance.randrange(8))
        content[place] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, flipped])
    cut = chance.randrange(len(good)) if chance.random() < 0.1 else len(good)
    return bytes(content[:cut])


HOSTILE = """
import sys
from pathlib import Path
from headway.data import read
from headway.errors import DataError
refused = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        list(read(path))
    except DataError:
        refused += 1
print(refused)
"""


@kinds
def test_files_that_lie_are_refused_or_read(name: str, save: object, tmp_path: Path) -> None:
    """Never a crash, nor another error; in a process of its own, which a crash would end."""
    folder = tmp_path / "lies"
    folder.mkdir()
    save(pa.concat_tables([TABLE] * 50), tmp_path / name)  # type: ignore[operator]  # one of three
    good = (tmp_path / name).read_bytes()
    chance = random.Random(7)
    for number in range(400):
        (folder / f"{number}{Path(name).suffix}").write_bytes(damaged(good, chance))
    found = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(folder)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert 100 < int(found.stdout) <= 400


def test_text_in_parquet_that_is_no_utf8(tmp_path: Path) -> None:
    write_parquet(pa.table({"t": ["needle"] * 3}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content.replace(b"needle", b"need\xffe"))
    with pytest.raises(DataError, match=r"a\.parquet is not a whole Parquet file"):
        one(tmp_path / "a.parquet")


def test_a_parquet_file_that_grows_without_limit(tmp_path: Path) -> None:
    """A dictionary makes a text of a page stand in every row for a few bits."""
    write_parquet(pa.table({"t": ["x" * 1000] * 200_000}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    with pytest.raises(DataError, match="grows more than 200 times, to over"):
        one(tmp_path / "a.parquet")
    assert len(one(tmp_path / "a.parquet", max_expansion=float("inf"))) == 200_000
