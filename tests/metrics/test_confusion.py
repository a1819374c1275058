"""Confusion matrix and Matthews correlation."""

import numpy as np
import pytest
from hypothesis import given
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import accuracy, cohen_kappa, confusion_matrix, mcc

from .contracts import EDGES, label_columns, pairs_of_labels


def test_equal_to_scikit_learn_on_random_labels():
    for seed in range(10):
        p, r = label_columns(seed)
        assert (confusion_matrix(p, r) == sk.confusion_matrix(r, p)).all()
        assert mcc(p, r) == pytest.approx(sk.matthews_corrcoef(r, p), abs=1e-9)


def test_integer_arrays_equal_lists_of_the_same_labels():
    p, r = np.random.default_rng(0).integers(-3, 3, (2, 100))
    assert (confusion_matrix(p, r) == confusion_matrix(p.tolist(), r.tolist())).all()
    assert mcc(p, r) == mcc(p.tolist(), r.tolist())
    assert (confusion_matrix(p, r) == sk.confusion_matrix(r, p)).all()


@pytest.mark.parametrize(
    "edge", [e for e in EDGES if e not in ("hostile names", "one row", "one class")]
)
def test_equal_to_scikit_learn_on_edges(edge):
    p, r = EDGES[edge]
    assert (confusion_matrix(p, r) == sk.confusion_matrix(r, p)).all()
    assert mcc(p, r) == pytest.approx(sk.matthews_corrcoef(r, p), abs=1e-9)


def test_one_class_has_one_cell_and_no_correlation():
    p, r = EDGES["one class"]
    assert confusion_matrix(p, r).tolist() == [[5]]
    assert mcc(p, r) == 0.0


def test_labels_give_the_order_and_absent_ones_a_row():
    assert confusion_matrix(["b"], ["a"], labels=["z", "b", "a"]).tolist() == [
        [0, 0, 0],
        [0, 0, 0],
        [0, 1, 0],
    ]


def test_a_label_that_is_not_listed_is_refused():
    with pytest.raises(ConfigError, match="'c' is not among the labels"):
        confusion_matrix(["c"], ["a"], labels=["a", "b"])
    with pytest.raises(ConfigError, match="2 is not among the labels"):
        confusion_matrix(np.array([2]), np.array([0]), labels=range(2))


def test_no_rows():
    assert confusion_matrix([], []).shape == (0, 0)
    assert mcc([], []) == 0.0


@given(pairs_of_labels)
def test_the_matrix_counts_every_row_once(pairs):
    p, r = zip(*pairs, strict=True)
    matrix = confusion_matrix(p, r)
    assert matrix.sum() == len(pairs)
    assert matrix.trace() / len(pairs) == pytest.approx(accuracy(p, r), abs=1e-12)
    assert -1.0 - 1e-12 <= mcc(p, r) <= 1.0 + 1e-12


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_equals_scikit_learn(weights):
    theirs = None if weights == "none" else weights
    for seed in range(10):
        p, r = label_columns(seed)
        expected = sk.cohen_kappa_score(p, r, weights=theirs)
        assert cohen_kappa(p, r, weights=weights) == pytest.approx(expected, abs=1e-9)
        for labels in (["dune", "ache", "bee", "cedar"], ["bee", "ache"]):
            expected = sk.cohen_kappa_score(p, r, weights=theirs, labels=labels)
            found = cohen_kappa(p, r, weights=weights, labels=labels)
            assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("edge", [e for e in EDGES if e not in ("hostile names", "one row")])
def test_kappa_equals_scikit_learn_on_edges(edge):
    p, r = EDGES[edge]
    expected = 0.0 if edge == "one class" else sk.cohen_kappa_score(p, r)
    assert cohen_kappa(p, r) == pytest.approx(expected, abs=1e-9)


def test_kappa_where_nothing_is_beyond_chance():
    assert cohen_kappa([], []) == cohen_kappa(["a"], ["a"]) == 0.0
    assert cohen_kappa(["a", "b"], ["a", "b"], labels=["c"]) == 0.0
    with pytest.raises(ConfigError, match=r"unknown weights 'quadratc'.*did you mean 'quadratic'"):
        cohen_kappa(["a"], ["a"], weights="quadratc")
