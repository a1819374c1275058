"""distinct-n: equal to counting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import ConfigError
from headway.metrics import distinct_n


@given(st.lists(st.text(alphabet="ab ", max_size=12), max_size=8), st.integers(1, 4))
def test_equal_to_counting(texts, n):
    rows = [text.split() for text in texts]
    grams = [tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1)]
    expected = len(set(grams)) / len(grams) if grams else 0.0
    assert distinct_n(texts, n=n) == pytest.approx(expected, abs=1e-12)


def test_the_same_text_again_halves_it():
    assert distinct_n(["one two three"], n=1) == 1.0
    assert distinct_n(["one two three"] * 2, n=1) == 0.5


def test_a_tokenizer_can_be_handed_in():
    assert distinct_n(["aab"], n=1, tokenizer=list) == pytest.approx(2 / 3)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ConfigError, match="n is 0"):
        distinct_n(["a"], n=0)
    with pytest.raises(ConfigError, match="row 0 of the predictions is None"):
        distinct_n([None])
    with pytest.raises(ConfigError, match="unknown tokenizer"):
        distinct_n(["a"], tokenizer="wrds")
