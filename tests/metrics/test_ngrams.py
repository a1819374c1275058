"""n-grams of many rows: equal to counting them row by row."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.metrics.ngrams import grams_of, shared_grams

rows_of_tokens = st.lists(
    st.tuples(*[st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=6)] * 2), max_size=8
)


def counted(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@given(rows=rows_of_tokens)
def test_equal_to_counting_row_by_row(n, rows):
    columns = [[row[side] for row in rows] for side in (0, 1)]
    first, second = grams_of(*columns, n=n)
    expected = [[counted(tokens, n) for tokens in column] for column in columns]
    assert first.per_row.tolist() == [each.total() for each in expected[0]]
    assert second.per_row.tolist() == [each.total() for each in expected[1]]
    both = [(a & b).total() for a, b in zip(*expected, strict=True)]
    assert shared_grams(first, second).tolist() == both


def test_one_column_and_columns_of_different_lengths():
    (alone,) = grams_of([["a", "b"], [], ["b"]], n=1)
    assert (alone.row.tolist(), alone.per_row.tolist()) == ([0, 0, 2], [2, 0, 1])
    first, second = grams_of([["a"]], [["b"], ["a", "a"]], n=1)
    assert first.code.tolist() == [second.code[1]]
    assert second.row.tolist() == [0, 1, 1]
