"""Columns of more than two gigabytes of text, which 32-bit offsets cannot reach across."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

from headway.data import Dataset, write_arrow
from headway.data.formats.columnar import open_arrow


@pytest.mark.slow
def test_a_column_of_more_than_two_gigabytes(tmp_path: Path) -> None:
    cell = b"some words of a long text. " * 37_038  # a megabyte
    rows = 2200
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"n,text\n")
        for n in range(rows):
            file.write(b"%d,%s\n" % (n, cell))
    assert path.stat().st_size > 1 << 31
    data = Dataset(open_arrow(write_arrow(path, tmp_path / "a.arrow")))
    path.unlink()
    assert pc.sum(pc.binary_length(data.column("text"))).as_py() == rows * len(cell)
    backwards = data.select(range(rows - 1, -1, -1))
    assert [backwards[n]["n"] for n in (0, rows - 1)] == [rows - 1, 0]
    assert backwards[rows - 1]["text"] == cell.decode()
