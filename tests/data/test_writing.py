from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import Dataset, write
from headway.data.writing import WRITERS
from headway.errors import DataError, OutputError

from .helpers import one, texts

letters = texts.map(lambda text: f"x{text}")  # never a number
flat = st.lists(
    st.fixed_dictionaries(
        {"text": letters, "n": st.integers(-(10**17), 10**17), "f": st.floats(0, 1, width=16)}
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow"])
@given(rows=flat)
def test_what_is_written_is_read(
    suffix: str, rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("write") / f"a{suffix}"
    assert write(Dataset.from_rows(rows), path) == path
    options = {"header": True} if suffix == ".csv" else {}
    assert list(one(path, **options)) == rows


@given(rows=st.lists(st.fixed_dictionaries({"text": letters, "n": st.integers(0, 9)}), min_size=1))
def test_tsv_holds_one_line_texts(rows: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("write") / "a.tsv"
    data = Dataset.from_rows(rows)
    if any(c in row["text"] for row in rows for c in "\t\r\n"):
        with pytest.raises(DataError, match="cannot stand in a TSV file"):
            write(data, path)
        assert list(path.parent.iterdir()) == []
    else:
        assert list(one(write(data, path), header=True)) == rows


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".arrow"])
def test_lists_objects_and_missing_values(suffix: str, tmp_path: Path) -> None:
    rows = [
        {"l": ["a", "b"], "o": {"x": 1, "y": None}, "m": None},
        {"l": [], "o": {"x": None, "y": "z"}, "m": 2},
        {"l": None, "o": None, "m": 3},
    ]
    assert list(one(write(Dataset.from_rows(rows), tmp_path / f"a{suffix}"))) == rows


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_cells_hold_no_lists(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="columns a hold lists"):
        write(Dataset.from_columns({"a": [["x"]], "b": [1]}), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_same_content_keeps_its_fingerprint(suffix: str, tmp_path: Path) -> None:
    data = Dataset.from_columns({"text": ["a", "b"], "label": [1, 0]})
    assert one(write(data, tmp_path / f"a{suffix}")).fingerprint == data.fingerprint


def test_another_suffix(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write(Dataset.from_columns({"a": [1]}), tmp_path / "a.xlsx")
    assert ".parquet" in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    for suffix in WRITERS:
        with pytest.raises(OutputError, match="cannot write"):
            write(Dataset.from_columns({"a": [1]}), tmp_path / "nowhere" / f"a{suffix}")


def test_an_old_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(DataError):
        write(Dataset.from_columns({"a": [["x"]]}), path)
    assert path.read_text() == "old"
    write(Dataset.from_columns({"a": ["new"]}), path)
    assert path.read_text() != "old"
