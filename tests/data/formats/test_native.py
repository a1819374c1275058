"""The native looks at bytes, beside what the standard library says of the same bytes."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.data import _native

BYTES = st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\xc3\xa9", b"x" * 63])).map(
    b"".join
)
LINE_END = re.compile(rb"\r\n|\r|\n")


def line_end_of(text: bytes) -> bytes:
    return b"\n" if b"\n" in text else b"\r"


def sure_part(text: bytes) -> int:
    """Before which place a line end surely is one."""
    return len(text) if b"\n" in text else max(0, len(text) - 1)


def is_strict(text: bytes) -> bool:
    """Quote by quote: each opens at an edge, or closes at one."""
    quotes = [i for i, byte in enumerate(text) if byte == ord('"')]
    edges = set(b',\r\n"')
    if len(quotes) % 2:
        return False
    opened = all(i == 0 or text[i - 1] in edges for i in quotes[::2])
    return opened and all(i == len(text) - 1 or text[i + 1] in edges for i in quotes[1::2])


def record_end(text: bytes) -> int:
    found = 0
    for i in range(sure_part(text)):
        if text[i : i + 1] == line_end_of(text) and text.count(b'"', 0, i) % 2 == 0:
            found = i + 1
    return found


@given(BYTES)
@example(b"\r" * 64 + b"\n")
@example(b"\r\n" * 64)
def test_line_ends(text: bytes) -> None:
    assert _native.count_line_ends(text) == len(LINE_END.findall(text))
    assert _native.count_feeds(text) == text.count(b"\n")
    assert _native.last_feed(text) == text.rfind(b"\n") + 1
    assert _native.last_line_end(text) == text.rfind(line_end_of(text), 0, sure_part(text)) + 1


@given(BYTES)
@example(b'"' + b"x" * 62 + b'"')
@example(b'"' + b"x" * 62 + b'"x')
@example(b"x" * 63 + b'"')
@example(b"," * 63 + b'""')
@example(b'"\n"' * 50)
def test_quotes(text: bytes) -> None:
    end, strict = _native.last_record_end(text, ",")
    assert end == record_end(text)
    assert strict == is_strict(text[:end])


@pytest.mark.parametrize("quoting", [False, True])
@given(text=BYTES, columns=st.integers(1, 3))
@example(text=b'"a ""b"" c"\n\n\r\n"",x', columns=2)
def test_cells(quoting: bool, text: bytes, columns: int) -> None:
    """Those of the standard library, which reads strict quotes as everybody does."""
    found = _native.read_cells(text, ",", quoting=quoting, columns=columns)
    lines = io.StringIO(text.decode(), newline="")
    how = csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE
    rows = [row for row in csv.reader(lines, quoting=how) if row]
    if found is None:
        strict = is_strict(text) or not quoting
        assert not strict or any(len(row) != columns for row in rows)
        return
    batch = pa.record_batch(found)
    batch.validate(full=True)
    assert batch.schema.names == [f"f{i}" for i in range(columns)]
    assert [list(row.values()) for row in batch.to_pylist()] == rows


@given(st.binary() | BYTES | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_what_text_is(text: bytes) -> None:
    try:
        expected = "\0" not in text.decode()
    except UnicodeDecodeError:
        expected = False
    assert _native.is_text(text) == expected
    assert _native.is_text(memoryview(b"??" + text)[2:]) == expected


VALUES: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
SEPARATORS = [(",", ":"), (" , ", "\t: ")]
PLAIN = {"t": st.text(), "n": st.integers(-9, 9), "x": st.floats(-9, 9)}
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "", 'q"', "\\n", "é"]), VALUES)


def rows_of(lines: bytes) -> list[dict[str, Any]] | None:
    found = _native.read_json_lines(lines)
    return None if found is None else pa.record_batch(found).to_pylist()


def same(value: Any, expected: Any) -> bool:
    """Equal; a whole number may have become the same decimal."""
    if isinstance(expected, int) and not isinstance(expected, bool) and isinstance(value, float):
        return abs(expected) < 2**53 and value == expected
    return type(value) is type(expected) and value == expected


def agrees(found: list[dict[str, Any]], lines: bytes) -> bool:
    rows = [json.loads(line) for line in lines.split(b"\n") if line.strip()]
    if len(found) != len(rows):
        return False
    return all(
        set(row) <= set(there) and all(same(there[name], row.get(name)) for name in there)
        for there, row in zip(found, rows, strict=True)
    )


@given(st.lists(OBJECTS), st.booleans(), st.sampled_from([(",", ":"), (" , ", "\t: ")]))
def test_rows_of_json(
    rows: list[dict[str, Any]], ascii_only: bool, between: tuple[str, str]
) -> None:
    """Whatever is read is what Python reads."""
    text = [json.dumps(row, ensure_ascii=ascii_only, separators=between) for row in rows]
    lines = "\n".join(text).encode()
    found = rows_of(lines)
    assert found is None or agrees(found, lines)


@given(
    st.lists(
        st.fixed_dictionaries({"t": st.text(), "n": st.integers(-9, 9), "x": st.floats(-9, 9)})
    ),
    st.booleans(),
)
def test_plain_rows_are_read(rows: list[dict[str, Any]], ascii_only: bool) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows).encode()
    assert rows_of(lines) == rows


@given(
    st.lists(OBJECTS, min_size=1),
    st.integers(0),
    st.sampled_from(list(b'"\\{}[]:,-.0e9ntu\n \t\x1f')),
)
def test_a_byte_that_was_changed(rows: list[dict[str, Any]], place: int, byte: int) -> None:
    """What is no JSON any more is not read; what still is, is read as Python reads it."""
    lines = bytearray("\n".join(json.dumps(row) for row in rows).encode())
    lines[place % len(lines)] = byte
    try:
        found = rows_of(bytes(lines))
    except UnicodeDecodeError:
        raise AssertionError("text that is no UTF-8") from None
    assert found is None or agrees(found, bytes(lines))


@pytest.mark.parametrize(
    "line",
    [
        *('{"a":1', "{", '{"a"', '{"a":', '{"a":"', '{"a":"\\', '{"a":"\\u12', '{"a":-', '{"a":1.'),
        *('{"a":1e', '{"a":tru', '{"a":1}}', '{"a":1},', '{"a":01}', '{"a":+1}', '{"a":.5}', "[1]"),
        *('{"a":[1]}', '{"a":{}}', '{"a":1,"a":2}', '{"a":1,}', '{,"a":1}', '{"a" 1}', "1", "null"),
        *('{"a":"\\ud800"}', '{"a":"\\udc00\\ud800"}', '{"a":"\\x"}', '{"a":"\x01"}', '{"a":NaN}'),
        *('{"a":9223372036854775808}', '{"a":1e999}', '{"a":1}\n{"a":"x"}', '{"a":true}\n{"a":1}'),
        *('{"a":9007199254740993}\n{"a":0.5}', '{"a":0.5}\n{"a":9007199254740993}'),
    ],
)
def test_what_is_left_to_others(line: str) -> None:
    assert rows_of(line.encode()) is None
    assert rows_of(line.encode() + b"\n") is None


def test_kinds_and_what_is_missing() -> None:
    rows = [
        {"n": None},
        {"w": 1},
        {"w": -(2**63), "t": "\u0000\U0001f600"},
        {"b": True},
        {"b": None},
    ]
    table = pa.record_batch(_native.read_json_lines("\n".join(map(json.dumps, rows)).encode()))
    table.validate(full=True)
    assert [str(field.type) for field in table.schema] == ["null", "int64", "string", "bool"]
    assert table.to_pylist() == [{**dict.fromkeys("nwtb"), **row} for row in rows]
    mixed = pa.record_batch(_native.read_json_lines(b'{"x":1}\n{"x":-0.0}\n{"x":2e-3}\n{}\n'))
    assert str(mixed.schema.field("x").type) == "double"
    values = mixed["x"].to_pylist()
    assert values == [1.0, 0.0, 0.002, None]
    assert math.copysign(1, values[1]) == -1
