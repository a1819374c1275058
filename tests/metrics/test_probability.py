"""Log loss, Brier score, calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import brier, expected_calibration_error, log_loss, reliability_bins

from .contracts import NAMES, probabilities

METRICS = [log_loss, brier, expected_calibration_error]


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scikit_learn(k, seed):
    table = probabilities(seed, 100, k)
    y = np.random.default_rng(seed).integers(0, k, 100)
    assert log_loss(table, y) == pytest.approx(sk.log_loss(y, table, labels=range(k)), abs=1e-9)
    expected = sk.brier_score_loss(y, table, labels=list(range(k)), scale_by_half=False)
    assert brier(table, y) == pytest.approx(expected, abs=1e-9)


def test_names_of_columns():
    table = probabilities(0, 50, 4)
    codes = np.random.default_rng(0).integers(0, 4, 50)
    names = [NAMES[i] for i in codes]
    for function in METRICS:
        assert function(table, names, labels=NAMES) == function(table, codes)


def test_sure_and_wrong_is_finite_and_equals_scikit_learn():
    table, y = np.array([[1.0, 0.0], [1.0, 0.0]]), [1, 0]
    assert log_loss(table, y) == pytest.approx(sk.log_loss(y, table), abs=1e-9)
    assert brier(table, y) == 1.0


def test_a_class_that_never_occurs():
    table = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert log_loss(table, [0, 1]) == pytest.approx(
        sk.log_loss([0, 1], table, labels=[0, 1, 2]), abs=1e-9
    )


def test_calibration_of_a_planted_case():
    # 10 rows say 0.8 and 6 are right; 10 rows say 0.6 and 6 are right: the gap is (0.2 + 0) / 2.
    table = np.array([[0.8, 0.2]] * 10 + [[0.6, 0.4]] * 10)
    y = [0] * 6 + [1] * 4 + [0] * 6 + [1] * 4
    assert expected_calibration_error(table, y) == pytest.approx(0.1, abs=1e-12)
    first, second = reliability_bins(table, y)
    assert (first["count"], first["accuracy"]) == (10, 0.6)
    assert (second["low"], second["high"]) == (pytest.approx(0.7), pytest.approx(0.8))


def test_calibration_equals_scikit_learns_curve():
    from sklearn.calibration import calibration_curve

    table = probabilities(1, 400, 3)
    y = np.random.default_rng(1).integers(0, 3, 400)
    right = table.argmax(axis=1) == y
    accuracy, confidence = calibration_curve(right, table.max(axis=1), n_bins=10)
    ours = reliability_bins(table, y, bins=10)
    assert [b["accuracy"] for b in ours] == pytest.approx(accuracy.tolist(), abs=1e-9)
    assert [b["confidence"] for b in ours] == pytest.approx(confidence.tolist(), abs=1e-9)


def test_no_rows_is_zero():
    for function in METRICS:
        assert function([], []) == function(np.zeros((0, 3)), []) == 0.0
    assert reliability_bins([], []) == []


@pytest.mark.parametrize("function", METRICS)
@pytest.mark.parametrize(
    ("table", "y", "options", "said"),
    [
        ([[0.5, 0.5]], [0, 1], {}, "1 predictions for 2 references"),
        ([[3.0, -1.0]], [0], {}, "sum to 1"),
        ([[0.5, 0.4]], [0], {}, "sum to 1"),
        ([[float("nan"), 1.0]], [0], {}, "sum to 1"),
        ([0.5], [0], {}, "shape"),
        ([[0.5, 0.5]], [2], {}, "2 has no column"),
        ([[0.5, 0.5]], ["c"], {"labels": ["a", "b"]}, "'c' has no column"),
        ([[0.5, 0.5]], ["a"], {"labels": ["a", "b", "c"]}, "3 labels for 2 columns"),
    ],
)
def test_what_is_no_probability_is_refused(function, table, y, options, said):
    with pytest.raises(ConfigError, match=said):
        function(table, y, **options)


def test_no_bins_is_refused():
    with pytest.raises(ConfigError, match="bins is 0"):
        reliability_bins([[0.5, 0.5]], [0], bins=0)


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 20))
def test_bounds_and_counts(seed, n, bins):
    table = probabilities(seed, n, 3)
    y = np.random.default_rng(seed).integers(0, 3, n)
    assert 0.0 <= brier(table, y) <= 2.0
    assert 0.0 <= expected_calibration_error(table, y, bins=bins) <= 1.0
    parts = reliability_bins(table, y, bins=bins)
    assert sum(part["count"] for part in parts) == n
    assert all(part["low"] <= part["confidence"] <= part["high"] + 1e-12 for part in parts)
