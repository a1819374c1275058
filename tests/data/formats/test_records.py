from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.formats import records
from headway.data.formats.records import read_jsonl, read_jsonl_slowly
from headway.data.formats.source import ReadOptions

from ..helpers import one, read_bytes, refusal, texts


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_rows_are_objects() -> None:
    data = read_bytes(lines({"text": "a", "label": 1}, {"text": "b", "label": 0}), "a.jsonl")
    assert list(data) == [{"text": "a", "label": 1}, {"text": "b", "label": 0}]


def test_a_key_that_a_row_lacks_is_missing() -> None:
    data = read_bytes(lines({"a": 1}, {"b": "x"}, {"a": None, "b": "y"}), "a.jsonl")
    assert list(data) == [{"a": 1, "b": None}, {"a": None, "b": "x"}, {"a": None, "b": "y"}]


@pytest.mark.parametrize(
    "dates",
    [
        ["2020-01-01", "2021-01-01"],
        ["2020-01-01 10:00:00", "now"],
        [["2020-01-01"], []],
        [{"on": "2020-01-01"}, {"on": None}],
    ],
)
def test_what_looks_like_a_date_stays_text(dates: list[object]) -> None:
    assert read_bytes(lines(*({"d": date} for date in dates)), "a.jsonl")["d"] == dates


def test_large_whole_numbers_are_kept_to_the_last_digit() -> None:
    numbers = [2**62 + 1, -(2**63), 3]
    assert read_bytes(lines(*({"n": n} for n in numbers)), "a.jsonl")["n"] == numbers


def test_a_number_past_64_bits_is_refused() -> None:
    said = refusal(lines({"n": 1}, {"n": 2**64}), "a.jsonl")
    assert "line 2, column 'n'" in said
    assert "64 bits" in said


values = st.recursive(
    texts | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    ),
    max_leaves=5,
)
rows = st.lists(
    st.dictionaries(st.sampled_from(["a", "b"]), values, min_size=1), min_size=1, max_size=4
)


def outcome(read: Any) -> Any:
    try:
        return read().to_pylist()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@given(rows=rows)
def test_the_fast_and_the_slow_way_are_one(
    rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_bytes(lines(*rows))
    buffer = pa.py_buffer(path.read_bytes())
    fast = outcome(lambda: read_jsonl(path, ReadOptions()))
    slow = outcome(lambda: read_jsonl_slowly(path, buffer))
    assert fast == slow


@pytest.mark.parametrize(
    "row",
    [
        {"a": [None, "x"]},
        {"a": [None, 1]},
        {"a": [None, [1]]},
        {"a": {"b": [1.5, None]}},
        {"a": [None, None]},
        {"a": None, "b": 1},
        {"a": {"b": None}},
    ],
)
def test_nulls_wherever_they_stand(row: dict[str, Any]) -> None:
    for separators in ((",", ":"), (" , ", " : "), (",\t ", ":\t")):
        content = json.dumps(row, separators=separators).replace("[", "[ ")
        assert read_bytes(content.encode(), "a.jsonl")[0] == row


@given(rows=st.lists(st.fixed_dictionaries({"t": texts, "n": st.integers(-9, 9)}), min_size=1))
def test_the_fast_way_is_taken_for_plain_rows(rows: list[dict[str, Any]]) -> None:
    table = records._read_fast(pa.py_buffer(lines(*rows)))
    assert table is not None
    assert table.to_pylist() == rows


def test_a_row_longer_than_a_block() -> None:
    long = "word " * 4_000_000
    data = read_bytes(lines({"t": long}, {"t": "2020-01-01"}), "a.jsonl")
    assert data["t"] == [long, "2020-01-01"]


def test_blank_lines_and_crlf() -> None:
    assert read_bytes(b'\n{"a": 1}\r\n\r\n  \n{"a": 2}', "a.jsonl")["a"] == [1, 2]


def test_a_broken_line_is_named() -> None:
    said = refusal(b'{"a": 1}\n\n{"a": 2\n{"a": 3}\n', "a.jsonl")
    assert "a.jsonl line 3, column" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1}\n[1, 2]\n', "line 2: a list where an object is expected"),
        (b'{"a": 1}\n"x"\n', "line 2: text where an object is expected"),
        (b'{"a": 1} {"a": 2}\n', "line 1, column 10: not JSON: Extra data"),
        (b'{"a": 1,\n"b": 2}\n', "line 1"),
        (b'{"a": 1, "a": 2}\n', "line 1: the key 'a' stands twice"),
        (b'{"a": "\\ud800"}\n', "line 1, column 'a': half of a surrogate pair"),
        (b"{}\n{}\n", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b"{'a': 1}\n", "line 1, column 2"),
    ],
)
def test_lines_that_are_no_rows(content: bytes, says: str) -> None:
    assert says in refusal(content, "a.jsonl")


def test_kinds_that_do_not_mix() -> None:
    said = refusal(lines({"label": 1}, {"label": None}, {"label": "x"}), "a.jsonl")
    assert "line 3, column 'label': text ('x'), but a number in line 1" in said
    assert "column 'a.b[]': true/false" in refusal(
        lines({"a": {"b": [1]}}, {"a": {"b": [True]}}), "a.jsonl"
    )


def test_whole_numbers_and_decimals_do_mix() -> None:
    assert read_bytes(lines({"a": 1}, {"a": 2.5}), "a.jsonl")["a"] == [1.0, 2.5]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("depth", [102, 900, 5_000, 200_000])
def test_deep_nesting_is_refused_and_overflows_nothing(name: str, depth: int) -> None:
    row = b'{"a": ' + b"[" * depth + b"]" * depth + b"}\n"
    assert "deep" in refusal(row if name.endswith("l") else b"[" + row + b"]", name)


def test_nesting_that_is_deep_enough() -> None:
    nested: list[Any] = []
    for _ in range(60):
        nested = [nested]
    for name, content in (("a.jsonl", lines({"a": nested})), ("a.json", lines([{"a": nested}]))):
        assert read_bytes(content, name)["a"] == [nested]


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


def test_lines_in_a_document_are_said() -> None:
    assert 'format="json"' in refusal(b'[\n{"a": 1}\n]\n', "a.jsonl")


def test_real_files(shared: Path) -> None:
    assert len(one(shared / "clinc150" / "data_full.json", field="train")) == 15_000
    summaries = one(shared / "scitldr" / "dev.jsonl")
    assert len(summaries) == 619
    assert all(isinstance(row["source"], list) for row in summaries)


def test_a_real_file_both_ways(shared: Path) -> None:
    path = shared / "scitldr" / "test.jsonl"
    fast = read_jsonl(path, ReadOptions())
    assert records._read_fast(pa.py_buffer(path.read_bytes())) is not None
    assert fast.to_pylist() == read_jsonl_slowly(path, pa.py_buffer(path.read_bytes())).to_pylist()
