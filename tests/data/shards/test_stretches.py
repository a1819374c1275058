"""Stretches put together are the file, wherever they are cut, and errors tell its lines."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data.formats import parts
from headway.data.formats.source import ReadOptions
from headway.data.shards.stretches import (
    CUTS,
    Input,
    input_files,
    inputs_of,
    numbered,
    parts_of,
)
from headway.errors import DataError

from .helpers import one, write_corpus

OPTIONS = ReadOptions()

lines = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), max_size=12),
        st.sampled_from(["\n", "\r\n"]),
    ),
    min_size=1,
    max_size=30,
)


def tables_of(inputs: list[Input], options: ReadOptions = OPTIONS) -> Iterator[pa.Table]:
    for each in inputs:
        for part in parts_of(each, replace(options, stretch=each.stretch), None):
            yield part.table


def cut(path: Path, size: int) -> list[Input]:
    return inputs_of(input_files(path, None, OPTIONS), OPTIONS, size)


def assert_covers(inputs: list[Input], content: bytes) -> None:
    """The stretches follow each other from the first byte to the last, and begin with lines."""
    at = 0
    for each in inputs:
        assert each.stretch is not None
        assert each.stretch.start == at < each.stretch.stop
        assert at == 0 or content[at - 1 : at] == b"\n"
        begin = numbered(each)
        assert begin is not None
        assert begin.line == content.count(b"\n", 0, at) + 1
        at = each.stretch.stop
    assert at == len(content)


@settings(max_examples=150, deadline=None)
@given(lines, st.integers(1, 60), st.booleans(), st.sampled_from([5, 64, 1 << 20]))
def test_lines_of_stretches_are_the_lines_of_the_file(
    drawn: list[tuple[str, str]], size: int, ended: bool, block: int
) -> None:
    content = "".join(text + end for text, end in drawn).encode()
    content = content if ended else content.rstrip(b"\r\n") or b"x"
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "BLOCK_BYTES", block)
        path = Path(folder) / "a.txt"
        path.write_bytes(content)
        inputs = cut(path, size)
        if len(inputs) > 1:
            assert_covers(inputs, content)
        together = [text for table in tables_of(inputs) for text in table["text"].to_pylist()]
        assert together == one(path)["text"]


rows = st.lists(
    st.one_of(
        st.none(),  # a blank line
        st.fixed_dictionaries({"a": st.text(max_size=8), "b": st.integers(-9, 9)}),
        st.fixed_dictionaries({"a": st.text(max_size=8)}),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(rows, st.integers(1, 90), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_rows_of_stretches_are_the_rows_of_the_file(
    drawn: list[dict[str, Any] | None], size: int, end: str, ended: bool
) -> None:
    written = [json.dumps(row, ensure_ascii=False) if row else "" for row in drawn]
    content = (end.join(written) + (end if ended else "")).encode(errors="replace")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(content)
        if not content.strip():
            return
        inputs = cut(path, size)
        if len(inputs) > 1:
            assert_covers(inputs, content)
        found = [row for table in tables_of(inputs) for row in table.to_pylist()]
        whole = one(path)
        filled = [{name: row.get(name) for name in whole.column_names} for row in found]
        assert filled == list(whole)


def test_a_line_longer_than_stretches_is_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a\n" + "b" * 1000 + "\nc\n")
    assert [len(list(tables_of([each]))) for each in cut(path, 10)] == [1, 1]
    path.write_text("b" * 1000)
    assert [each.stretch for each in cut(path, 10)] == [None]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_row_groups_and_batches_are_entered_in_the_middle(suffix: str, tmp_path: Path) -> None:
    path = sorted(write_corpus(tmp_path, suffix, files=1).iterdir())[0]
    inputs = cut(path, path.stat().st_size // 3)
    assert len(inputs) > 1
    assert next(str(each).rpartition(", ")[2] for each in inputs).endswith(" 0 to 1")
    found = [row for table in tables_of(inputs) for row in table.to_pylist()]
    assert found == list(one(path))
    assert [each.stretch for each in cut(path, 1 << 30)] == [None]


def test_parquet_groups_are_joined_up_to_the_size(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"n": list(range(1000))}), path, row_group_size=100)
    groups = parquet.ParquetFile(path).metadata.row_group(0).total_byte_size
    sizes = [each.stretch.stop - each.stretch.start for each in cut(path, 3 * groups + 9)]  # type: ignore[union-attr]
    assert sizes == [3, 3, 3, 1]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl.gz", "a.label"])
def test_what_cannot_be_entered_is_one_stretch(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x\n" * 100)
    assert [each.stretch for each in cut(tmp_path / name, 10)] == [None]


def test_other_encodings_and_paragraphs_are_one_stretch(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ab\n" * 100)
    for options in (ReadOptions(encoding="utf-16"), ReadOptions(sample_by="paragraph")):
        pieces = input_files(path, None, options)
        assert [each.stretch for each in inputs_of(pieces, options, 10)] == [None]
    options = ReadOptions(encoding="UTF8")
    assert len(inputs_of(input_files(path, None, options), options, 10)) > 1


@pytest.mark.parametrize("format", CUTS)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"ARROW1", b"PAR1" * 9, b"ARROW1\0\0" * 9])
def test_broken_files_are_one_error(format: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a.{format}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\."):
        list(tables_of(cut(path, 4)))


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_damaged_files_are_errors_or_rows(suffix: str, tmp_path: Path) -> None:
    path = next(write_corpus(tmp_path, suffix, files=1).iterdir())
    whole, rng = path.read_bytes(), random.Random(1)
    refused = 0
    for _ in range(200):
        content = bytearray(whole)
        content[rng.randrange(max(0, len(whole) - 1500), len(whole))] = rng.randrange(256)
        path.write_bytes(content)
        try:
            list(tables_of(cut(path, len(whole) // 3)))
        except DataError as error:
            assert path.name in str(error)
            refused += 1
    assert 0 < refused < 200


def names(place: Path) -> list[str]:
    return [piece.path.name for piece in input_files(place, None, OPTIONS)]


def test_files_are_those_of_one_data_set(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", ".hidden.csv", "README.csv"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "c.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="several formats"):
        names(tmp_path / "*.*")
    (tmp_path / "c.jsonl").unlink()
    assert names(tmp_path) == ["a.csv", "b.csv"]
    assert names(tmp_path / "b*") == ["b.csv"]
    assert names(tmp_path / "a.csv") == ["a.csv"]
    (tmp_path / "train.jsonl").write_text("{}\n")
    (tmp_path / "test.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="several splits: train, test"):
        names(tmp_path / "t*.jsonl")
    for name in ("nothing.csv", "no*.csv", "**bad"):
        with pytest.raises(DataError, match=r"no file or folder|no file matches|is no pattern"):
            names(tmp_path / name)
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "x-00000-of-00002.csv").write_text("x\n")
    with pytest.raises(DataError, match="the first that is missing is number 00001"):
        names(tmp_path / "shards")


def test_rows_that_several_files_make_are_no_input(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text("x")
    with pytest.raises(DataError, match="is made of 2 files together"):
        names(tmp_path)
