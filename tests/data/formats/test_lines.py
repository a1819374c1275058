from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.data import BadRows
from headway.data.formats import parts
from headway.data.formats.lines import read_fast, read_jsonl, read_slowly
from headway.data.formats.parts import Block
from headway.data.formats.source import ReadOptions
from headway.data.formats.values import Kinds
from headway.errors import DataError

from ..helpers import read_bytes, refusal, texts


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
    except DataError as error:
        return f"{type(error).__name__}: {error}"


def slowly(path: Path) -> pa.Table:
    part = read_slowly(path, ReadOptions(), Block(memoryview(path.read_bytes()), 1), Kinds())
    if not part.table.num_columns:
        raise DataError(f"{path} holds no rows", allowed="at least one row with one column")
    return part.table


@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 21])
@settings(deadline=None)  # threads start whenever the machine likes
@given(rows=rows)
def test_the_fast_and_the_slow_way_are_one(
    block_bytes: int, rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    """Whatever the blocks are into which the file is cut."""
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_bytes(lines(*rows))
    with mock.patch.object(parts, "BLOCK_BYTES", block_bytes):
        fast = outcome(lambda: read_jsonl(path, ReadOptions()))
    assert fast == outcome(lambda: slowly(path))


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
    part = read_fast(lines(*rows), pa.schema([]))
    assert part is not None
    assert part.table.to_pylist() == rows


def test_a_row_longer_than_a_block() -> None:
    long = "word " * 4_000_000
    data = read_bytes(lines({"t": long}, {"t": "2020-01-01"}), "a.jsonl")
    assert data["t"] == [long, "2020-01-01"]


def test_blank_lines_and_crlf() -> None:
    assert read_bytes(b'\n{"a": 1}\r\n\r\n  \n{"a": 2}', "a.jsonl")["a"] == [1, 2]


def test_a_broken_line_is_named() -> None:
    said = refusal(b'{"a": 1}\n\n{"a": 2\n{"a": 3}\n', "a.jsonl")
    assert "a.jsonl line 3: not JSON at character" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1}\n[1, 2]\n', "line 2: a list where an object is expected"),
        (b'{"a": 1}\n"x"\n', "line 2: text where an object is expected"),
        (b'{"a": 1} {"a": 2}\n', "line 1: not JSON at character 10: Extra data"),
        (b'{"a": 1,\n"b": 2}\n', "line 1"),
        (b'{"a": 1, "a": 2}\n', "line 1: the key 'a' stands twice"),
        (b'{"a": "\\ud800"}\n', "line 1, column 'a': half of a surrogate pair"),
        (b"{}\n{}\n", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b"{'a': 1}\n", "line 1: not JSON at character 2"),
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


def test_lines_in_a_document_are_said() -> None:
    assert 'format="json"' in refusal(b'[\n{"a": 1}\n]\n', "a.jsonl")


def test_bad_lines_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'{"a": 1}\n{"a": \n[1]\n{"a": "x", "b": 1}\n{"b": true}\n{"a": 2.5, "b": false}\n'
    for block_bytes in (1, 1 << 21):
        monkeypatch.setattr(parts, "BLOCK_BYTES", block_bytes)
        bad = BadRows(keep=2)
        data = read_bytes(content, "a.jsonl", bad_rows=bad)
        assert list(data) == [
            {"a": 1.0, "b": None},
            {"a": None, "b": True},
            {"a": 2.5, "b": False},
        ]
        assert bad.count == 3
        assert [(row.line, row.value) for row in bad.first] == [(2, "'{\"a\": '"), (3, "[1]")]
        assert str(bad).endswith("a list where an object is expected; ...")
    assert "holds no rows" in refusal(b"[1]\n", "a.jsonl", bad_rows=BadRows())


def test_a_real_file_both_ways(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared / "scitldr" / "test.jsonl"
    assert read_fast(path.read_bytes(), pa.schema([])) is not None
    expected = slowly(path).to_pylist()
    for block_bytes in (1 << 14, 1 << 21):
        monkeypatch.setattr(parts, "BLOCK_BYTES", block_bytes)
        assert read_jsonl(path, ReadOptions()).to_pylist() == expected
