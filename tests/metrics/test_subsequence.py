"""Longest common subsequences: equal to the table of Wagner and Fischer, place by place."""

from hypothesis import given
from hypothesis import strategies as st

from headway.metrics.subsequence import common_places, common_tokens

tokens = st.lists(st.sampled_from("abcd"), max_size=90)


def table(first, second):
    rows = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first, 1):
        for j, b in enumerate(second, 1):
            same = rows[i - 1][j - 1] + 1
            rows[i][j] = same if a == b else max(rows[i - 1][j], rows[i][j - 1])
    return rows


@given(tokens, tokens)
def test_length_and_places_are_those_of_the_table(first, second):
    rows = table(first, second)
    assert common_tokens(first, second) == rows[-1][-1]
    i, j, expected = len(first), len(second), []
    while i and j:
        if first[i - 1] == second[j - 1]:
            expected.append(i - 1)
            i, j = i - 1, j - 1
        elif rows[i][j - 1] > rows[i - 1][j]:
            j -= 1
        else:
            i -= 1
    assert common_places(first, second) == expected


def test_long_rows_and_empty_ones():
    long = [str(number % 7) for number in range(3000)]
    assert common_tokens(long, long) == 3000
    assert common_tokens(long, []) == common_tokens([], long) == common_tokens([], []) == 0
    assert common_places([], ["a"]) == common_places(["a"], []) == []
