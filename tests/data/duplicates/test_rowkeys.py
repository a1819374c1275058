from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import Dataset, drop_duplicates, drop_leaked, few_per_class
from headway.data.duplicates.rowkeys import fold, row_codes
from headway.data.rows import Rows

from ..helpers import texts

SPACES = [chr(c) for c in range(sys.maxunicode + 1) if chr(c).isspace()]
spaced = st.lists(st.sampled_from([*SPACES, "a", "ä", "."]), max_size=8).map("".join)


@pytest.mark.parametrize(
    "step",
    [
        lambda data: drop_duplicates(data, ["text"])[0]["text"],
        lambda data: drop_leaked(data[:4], data[4:], ["text"])[0]["text"],
        lambda data: few_per_class(data, "label", 1)[0]["label"],
        lambda data: data.deduplicate(["text"])["text"],
        lambda data: data.split(0.5, stratify="label")[0]["label"],
    ],
)
def test_of_rows_in_an_order_only_the_columns_compared_are_gathered(
    step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"text": list("abcabcba"), "label": [0, 1] * 4, "long": ["x"] * 8}
    order = [7, 0, 3, 2, 5, 6, 1, 4]
    ordered = {name: [values[row] for row in order] for name, values in columns.items()}
    expected = step(Dataset.from_columns(ordered))
    gathered: list[str] = []
    column = Rows.column
    monkeypatch.setattr(
        Rows, "column", lambda self, name: gathered.append(name) or column(self, name)
    )
    monkeypatch.setattr(Dataset, "to_arrow", lambda self: pytest.fail("all was gathered"))
    assert step(Dataset.from_columns(columns).select(order)) == expected
    assert gathered and "long" not in gathered


def folded(text: str, **options: bool) -> str:
    return str(fold(pa.chunked_array([[text]]), **options)[0])


@given(text=spaced | texts)
def test_ignoring_spacing_is_split_and_join(text: str) -> None:
    assert folded(text, ignore_spacing=True) == " ".join(text.split())


@given(text=spaced | texts)
def test_only_ends_and_line_ends_are_folded_otherwise(text: str) -> None:
    assert folded(text) == text.strip().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("a", "b", "same", "same_without_spacing"),
    [
        ("a b", " a b\n", True, True),
        ("a\nb", "a\r\nb", True, True),
        ("a b", "a  b", False, True),
        ("a b", "a\u00a0b", False, True),
        ("a b", "ab", False, False),
        ("a", "A", False, False),
        ("é", "e\u0301", False, False),
        ("", " ", True, True),
    ],
)
def test_sameness(a: str, b: str, same: bool, same_without_spacing: bool) -> None:
    table = pa.table({"t": [a, b]})
    one = row_codes([table], ["t"])[0]
    other = row_codes([table], ["t"], ignore_spacing=True)[0]
    assert (one[0] == one[1], other[0] == other[1]) == (same, same_without_spacing)


cells = st.fixed_dictionaries(
    {
        "t": st.sampled_from(["a", "b", "a|b", None]),
        "n": st.sampled_from([1, 2, None]),
        "l": st.sampled_from([["x"], ["x", "y"], ["x, y"], [], None]),
    }
)


@given(first=st.lists(cells, max_size=8), second=st.lists(cells, max_size=8))
def test_codes_are_equal_where_rows_are(
    first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    schema = pa.schema([("t", pa.string()), ("n", pa.int64()), ("l", pa.list_(pa.string()))])
    tables = [pa.Table.from_pylist(rows, schema=schema) for rows in (first, second)]
    codes = row_codes(tables, ["t", "n", "l"])
    assert [len(one) for one in codes] == [len(first), len(second)]
    flat = list(zip([*first, *second], [*codes[0], *codes[1]], strict=True))
    for row, code in flat:
        for other, other_code in flat:
            assert (row == other) == (code == other_code)


def test_columns_of_two_types_compare_as_text() -> None:
    tables = [pa.table({"t": [1, 2]}), pa.table({"t": ["2", "x"]})]
    (_, two), (also_two, _) = row_codes(tables, ["t"])
    assert two == also_two


def test_other_columns_do_not_count() -> None:
    codes = row_codes([pa.table({"t": ["a", "a"], "label": [0, 1]})], ["t"])[0]
    assert codes[0] == codes[1]
