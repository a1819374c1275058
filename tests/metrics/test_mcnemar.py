"""McNemar's test: equal to scipy's binomial test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headway.errors import ConfigError
from headway.metrics import mcnemar


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 5))
def test_equal_to_the_binomial_test(only_first, only_second, both):
    first = [1] * only_first + [0] * only_second + [1] * both
    second = [0] * only_first + [1] * only_second + [1] * both
    found = mcnemar(first, second, [1] * len(first))
    assert (found["only_first"], found["only_second"]) == (only_first, only_second)
    n = only_first + only_second
    expected = stats.binomtest(only_first, n).pvalue if n else 1.0
    assert found["p_value"] == pytest.approx(expected, abs=1e-9)


def test_unequal_lengths_are_refused():
    with pytest.raises(ConfigError, match="1 predictions for 2 references"):
        mcnemar(["a", "b"], ["a"], ["a", "b"])
