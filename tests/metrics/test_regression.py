"""Errors of predicted numbers: equal to scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import mae, mse, r2

from .contracts import pairs_of_numbers

OURS_AND_THEIRS = [
    (mse, sk.mean_squared_error),
    (mae, sk.mean_absolute_error),
    (r2, sk.r2_score),
]


@pytest.mark.parametrize(("ours", "theirs"), OURS_AND_THEIRS)
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scikit_learn(ours, theirs, seed):
    p, r = np.random.default_rng(seed).normal(size=(2, 80))
    assert ours(p, r) == pytest.approx(theirs(r, p), abs=1e-9)


@pytest.mark.parametrize(("p", "r"), [([1, 1], [2, 2]), ([2, 2], [2, 2]), ([5, 5], [1, 3])])
def test_constant_columns_equal_scikit_learn(p, r):
    for ours, theirs in OURS_AND_THEIRS:
        assert ours(p, r) == pytest.approx(theirs(r, p), abs=1e-9)


def test_one_row_and_no_rows_are_defined():
    assert (r2([1], [1]), r2([2], [1])) == (1.0, 0.0)
    assert mse([], []) == mae([], []) == r2([], []) == 0.0


@pytest.mark.parametrize("function", [mse, mae, r2])
def test_numbers_that_are_none_are_refused(function):
    with pytest.raises(ConfigError, match="row 1 of the references is nan"):
        function([1.0, 2.0], [1.0, float("nan")])
    with pytest.raises(ConfigError, match="2 predictions for 1 references"):
        function([1.0, 2.0], [1.0])


@given(pairs_of_numbers)
def test_mae_is_at_most_the_root_of_mse(pairs):
    p, r = zip(*pairs, strict=True)
    assert mae(p, r) <= np.sqrt(mse(p, r)) * (1 + 1e-9) + 1e-12
    assert r2(p, r) <= 1.0
