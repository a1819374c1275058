"""Pearson and Spearman: equal to scipy."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from headway.errors import ConfigError
from headway.metrics import pearson, spearman

from .contracts import pairs_of_numbers


def test_equal_to_scipy_on_random_numbers():
    for seed in range(10):
        x, y = np.random.default_rng(seed).normal(size=(2, 100))
        y = y + seed * x
        assert pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
        assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


def test_equal_to_scipy_on_ties_and_two_rows():
    x, y = [1, 2, 2, 2, 5, 5], [0, 3, 1, 3, 3, 9]
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert pearson([1, 2], [5, 3]) == pytest.approx(stats.pearsonr([1, 2], [5, 3]).statistic)


def test_very_large_and_very_small_numbers():
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    expected = stats.pearsonr(x, y).statistic
    assert pearson(x * 1e200, y * 1e-200) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("function", [pearson, spearman])
@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([1.0], [2.0]), ([3, 3, 3], [1, 2, 3]), ([1, 2, 3], [0, 0, 0]), ([0, 0], [0, 0])],
)
def test_what_has_no_correlation_is_zero(function, x, y):
    assert function(x, y) == 0.0


@pytest.mark.parametrize("function", [pearson, spearman])
@pytest.mark.parametrize("wrong", [[1.0, float("nan")], [1.0, float("inf")], ["a", "b"], [[1, 2]]])
def test_what_is_no_column_of_numbers_is_refused(function, wrong):
    with pytest.raises(ConfigError):
        function(wrong, [1.0, 2.0][: len(wrong)])


@given(pairs_of_numbers)
def test_symmetric_bounded_and_turned_by_the_sign(pairs):
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    for function in (pearson, spearman):
        value = function(x, y)
        assert -1.0 <= value <= 1.0
        assert function(y, x) == pytest.approx(value, abs=1e-9)
        assert function(-x, y) == pytest.approx(-value, abs=1e-6)


@given(pairs_of_numbers)
def test_spearman_sees_only_the_order(pairs):
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    assert spearman(x**3, y) == pytest.approx(spearman(x, y), abs=1e-9)
