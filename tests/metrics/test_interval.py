"""Confidence intervals: Wilson against scipy, the bootstrap against scipy and against the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headway.errors import ConfigError
from headway.metrics import (
    METRICS,
    accuracy,
    bootstrap_interval,
    confidence_interval,
    macro_f1,
    mcc,
    pearson,
    wilson_interval,
)
from headway.metrics.interval import SHARES

from .contracts import NAMES, columns_for, label_columns, takes_labels

LABELS = {"labels": NAMES}


@pytest.mark.parametrize(("right", "n"), [(0, 7), (7, 7), (1, 2), (18, 500), (482, 500), (1, 1)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_equals_scipy(right, n, level):
    expected = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    assert wilson_interval(right, n, level=level) == pytest.approx(tuple(expected), abs=1e-9)


def test_the_talks_example():
    # TREC-6: 3.6% of 500 is 18 errors, 95% interval 2.3 to 5.6
    low, high = wilson_interval(18, 500)
    assert (round(low, 3), round(high, 3)) == (0.023, 0.056)


def test_wilson_of_nothing_knows_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_share_and_mirrors(n, data):
    right = data.draw(st.integers(0, n))
    low, high = wilson_interval(right, n)
    assert 0.0 <= low <= right / n <= high <= 1.0
    mirrored = wilson_interval(n - right, n)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_bootstrap_is_seeded():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    same = [bootstrap_interval(pearson, x, y, seed=4, resamples=50) for _ in range(2)]
    assert same[0] == same[1] != bootstrap_interval(pearson, x, y, seed=5, resamples=50)


def test_bootstrap_agrees_with_scipys():
    random = np.random.default_rng(0)
    x = random.normal(size=60)
    y = x + random.normal(size=60)
    ours = bootstrap_interval(pearson, x, y, resamples=4000)
    theirs = stats.bootstrap(
        (x, y), pearson, paired=True, vectorized=False, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.02)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(1)
    covered = 0
    for seed in range(100):
        right = random.random(150) < 0.7
        low, high = bootstrap_interval(
            lambda p, r: float(np.mean(p == r)), right, np.ones(150, bool), seed=seed, resamples=200
        )
        covered += low <= 0.7 <= high
    assert 88 <= covered <= 100


def test_accuracy_gets_wilsons_interval():
    p, r = label_columns(0, n=100)
    right = round(accuracy(p, r) * 100)
    assert confidence_interval("accuracy", p, r) == wilson_interval(right, 100)


def test_macro_f1_by_codes_equals_macro_f1_by_names():
    p, r = label_columns(0, n=60)
    names = sorted(set(r))
    by_name = bootstrap_interval(lambda a, b: macro_f1(a, b, labels=names), p, r, resamples=100)
    assert confidence_interval("macro_f1", p, r, resamples=100) == pytest.approx(by_name, abs=1e-12)


def test_mcc_by_codes_equals_mcc_by_names():
    p, r = label_columns(0, n=60)
    by_name = bootstrap_interval(mcc, p, r, resamples=100)
    assert confidence_interval("mcc", p, r, resamples=100) == pytest.approx(by_name, abs=1e-12)


def test_a_choice_of_labels_is_kept():
    p, r = label_columns(0, n=60)
    chosen = sorted(set(r))[1:3]
    by_name = bootstrap_interval(lambda a, b: macro_f1(a, b, labels=chosen), p, r, resamples=100)
    found = confidence_interval("f1", p, r, labels=chosen, average="macro", resamples=100)
    assert found == pytest.approx(by_name, abs=1e-12)


def test_label_sets_as_arrays_and_collections_agree():
    random = np.random.default_rng(0)
    p, r = random.random((2, 40, 3)) < 0.5
    sets = [[set(np.flatnonzero(row).tolist()) for row in m] for m in (p, r)]
    found = [
        confidence_interval("micro_f1", *columns, labels=[0, 1, 2], resamples=50)
        for columns in ((p, r), sets)
    ]
    assert found[0] == found[1]
    assert found[0][0] < found[0][1]


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_an_interval_that_holds_the_scores_of_resamples(name):
    columns = columns_for(name, seed=4, n=30)
    low, high = confidence_interval(name, *columns, resamples=40, seed=2)
    assert low <= high
    if name in SHARES:
        assert low < METRICS[name](*columns) < high
        return
    options = LABELS if takes_labels(name) else {}
    random = np.random.default_rng(2)
    scores = []
    for _ in range(40):
        rows = random.integers(0, 30, size=30)
        drawn = [c[rows] if isinstance(c, np.ndarray) else [c[i] for i in rows] for c in columns]
        scores.append(METRICS[name](*drawn, **options))
    assert (low, high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=1e-9)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95])
def test_levels_outside_zero_to_one_are_refused(level):
    with pytest.raises(ConfigError, match="confidence level"):
        wilson_interval(1, 2, level=level)
    with pytest.raises(ConfigError, match="confidence level"):
        bootstrap_interval(accuracy, [1], [1], level=level)


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(ConfigError, match="3 right of 2"):
        wilson_interval(3, 2)
    with pytest.raises(ConfigError, match="bootstrap of 0 rows"):
        bootstrap_interval(accuracy, [], [])
    with pytest.raises(ConfigError, match="unknown metric"):
        confidence_interval("acuracy", [1], [1])
