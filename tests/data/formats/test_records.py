from __future__ import annotations

from pathlib import Path

import pytest

from headway.data import BadRows

from ..helpers import one, read_bytes, refusal


def test_a_list_of_rows() -> None:
    assert read_bytes(b'[{"a": 1}, {"a": 2}]', "a.json")["a"] == [1, 2]


def test_an_object_with_one_list_of_rows() -> None:
    assert read_bytes(b'{"version": "1", "rows": [{"a": 1}]}', "a.json")["a"] == [1]


def test_rows_that_are_lists_of_cells() -> None:
    assert read_bytes(b'[["x", 1], ["y", 2]]', "a.json")[1] == {"column_1": "y", "column_2": 2}


def test_several_lists_need_a_name() -> None:
    content = b'{"train": [{"a": 1}], "test": [{"a": 2}, {"a": 3}]}'
    said = refusal(content, "a.json")
    assert "train (1), test (2)" in said
    assert "field=" in said
    assert read_bytes(content, "a.json", field="test")["a"] == [2, 3]
    assert "no list 'dev'" in refusal(content, "a.json", field="dev")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1}\n{"a": 2}\n', 'format="jsonl"'),
        (b'[{"a": 1},\n {"a": }]', "line 2, column 8"),
        (b"[1, 2]", "row 1: a whole number"),
        (b"3", "no single list of rows"),
        (b"[]", "holds no rows"),
        (b'[{"a": 1}, {"a": "x"}]', "row 2, column 'a': text ('x'), but a number in row 1"),
    ],
)
def test_documents_that_hold_no_rows(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.json")


def test_bad_rows_of_a_document_can_be_left_out() -> None:
    bad = BadRows()
    content = b'[{"a": 1}, 3, {"a": "x"}, {"a": 2}]'
    assert read_bytes(content, "a.json", bad_rows=bad)["a"] == [1, 2]
    assert [(row.line, row.unit, row.column, row.value) for row in bad.first] == [
        (2, "row", "", "3"),
        (3, "row", "a", "'x'"),
    ]


def test_real_files(shared: Path) -> None:
    assert len(one(shared / "clinc150" / "data_full.json", field="train")) == 15_000
    summaries = one(shared / "scitldr" / "dev.jsonl")
    assert len(summaries) == 619
    assert all(isinstance(row["source"], list) for row in summaries)
