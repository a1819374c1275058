from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.inspection.odd_rows import odd_rows


def found(texts: list[str], *, chunks: int = 1) -> dict[str, list[int]]:
    size = -(-len(texts) // chunks) or 1
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    column = pa.chunked_array(parts, type=pa.string())
    return {what: rows.tolist() for what, rows in odd_rows(column).items()}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (" \t\n\u00a0\u3000", "only white space"),
        ("bell \x07", "control characters"),
        ("lost \ufffd", "replacement characters (U+FFFD)"),
        ("Itâ€™s fine", "UTF-8 read as Latin-1"),
        ("cafÃ© au lait", "UTF-8 read as Latin-1"),
        ("\u00e6\u00bc\u00a2", "UTF-8 read as Latin-1"),
        ("a <b>bold</b> word", "remains of HTML"),
        ('<a href="x">', "remains of HTML"),
        ("fish &amp; chips &#39;", "remains of HTML"),
        ("noooooooooooo", "one character repeated"),
        ("。。。。。。。。。。。", "one character repeated"),
        ("-" * 10, "one character repeated"),
        ("word " * 500, "very long"),
    ],
)
def test_each_kind(text: str, what: str) -> None:
    assert found(["a fine text", text, "another"]) == {what: [1]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tab\tline\r\n",
        "São João à Ângela Àç",
        "ÃO É UM NÃO",
        "5 < 6 > 4, a <3 b & c",
        "if a<b then c>d",
        "AT&T; R&D",
        "nooooooooo",
        "a" + " " * 50 + "b",
        "漢字 🙂 ß",
    ],
)
def test_what_is_not_odd(text: str) -> None:
    assert found([text, "x"]) == {}


@given(
    st.lists(st.text(alphabet="ab\u6f22 ", max_size=40), max_size=12),
    st.integers(1, 3),
)
def test_repeats_are_those_of_the_pattern(texts: list[str], chunks: int) -> None:
    expected = [n for n, text in enumerate(texts) if re.search(r"([^\s])\1{9}", text)]
    assert found(texts, chunks=chunks).get("one character repeated", []) == expected


def test_a_run_over_several_texts_belongs_to_none() -> None:
    assert found(["a" * 6, "a" * 6, "", "a" * 12, "a" * 3])["one character repeated"] == [3]


def test_no_rows() -> None:
    assert found([]) == {}
