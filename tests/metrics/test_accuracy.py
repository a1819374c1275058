"""Accuracy and exact match."""

import numpy as np
import pytest
from hypothesis import given
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import accuracy, exact_match

from .contracts import EDGES, label_columns, pairs_of_labels


@pytest.mark.parametrize("edge", [e for e in EDGES if e != "hostile names"])
def test_equal_to_scikit_learn_on_edges(edge):
    p, r = EDGES[edge]
    assert accuracy(p, r) == pytest.approx(sk.accuracy_score(r, p), abs=1e-9)


def test_equal_to_scikit_learn_on_random_labels():
    for seed in range(10):
        p, r = label_columns(seed)
        assert accuracy(p, r) == pytest.approx(sk.accuracy_score(r, p), abs=1e-9)
        assert accuracy(np.array(p), np.array(r)) == accuracy(p, r)


def test_hostile_names_are_told_apart():
    assert accuracy(*EDGES["hostile names"]) == 0.75  # "a\0" is not "a"


def test_exact_match_equals_scikit_learn():
    random = np.random.default_rng(0)
    p = random.random((50, 3)) < 0.5
    r = np.where(random.random((50, 3)) < 0.8, p, ~p)
    assert exact_match(p, r) == pytest.approx(sk.accuracy_score(r, p), abs=1e-9)
    assert exact_match(p.astype(int), r.astype(float)) == exact_match(p, r)


def test_exact_match_of_collections():
    assert exact_match([{"a"}, set(), ("b", "c")], [["a"], [], ["c", "b"]]) == 1.0
    assert exact_match([{"a"}], [{"a", "b"}]) == 0.0


def test_no_rows_is_zero():
    assert accuracy([], []) == exact_match([], []) == 0.0
    assert exact_match(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


@given(pairs_of_labels)
def test_a_perfect_copy_is_one(pairs):
    references = [r for _, r in pairs]
    assert accuracy(references, references) == 1.0


@pytest.mark.parametrize(
    ("predictions", "references", "said"),
    [
        (["a"], ["a", "b"], "1 predictions for 2 references"),
        ([1, 2], ["1", "2"], "some labels are texts and some are numbers"),
        (["a", None], ["a", "b"], "row 1 of the predictions is None"),
        ([0.0, float("nan")], [0.0, 1.0], "row 1 of the predictions is nan"),
        ([[0.1, 0.9]], [1], "several values a row"),
    ],
)
def test_columns_that_cannot_be_compared_are_refused(predictions, references, said):
    with pytest.raises(ConfigError, match=said):
        accuracy(predictions, references)


@pytest.mark.parametrize(
    ("predictions", "references", "said"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), "one shape"),
        (np.full((2, 2), 0.7), np.zeros((2, 2)), "other values than 0 and 1"),
        (np.zeros((1, 2)), [{"a"}], "in two ways"),
        (["a"], [{"a"}], "a collection of labels a row"),
        ([[0, 1], [1, 0]], [[0, 1], [1, 1]], "label numbers or a 0/1 matrix"),
    ],
)
def test_label_sets_that_cannot_be_compared_are_refused(predictions, references, said):
    with pytest.raises(ConfigError, match=said):
        exact_match(predictions, references)
