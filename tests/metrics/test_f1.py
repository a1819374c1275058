"""Precision, recall, F1, per label: equal to scikit-learn, for single labels and label sets."""

import numpy as np
import pytest
from hypothesis import given
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import f1, macro_f1, micro_f1, per_label, precision, recall, weighted_f1

from .contracts import EDGES, NAMES, label_columns, pairs_of_labels

OURS_AND_THEIRS = [
    (precision, sk.precision_score),
    (recall, sk.recall_score),
    (f1, sk.f1_score),
]
AVERAGES = ["macro", "micro", "weighted"]


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("ours", "theirs"), OURS_AND_THEIRS)
def test_equal_to_scikit_learn_on_random_labels(ours, theirs, average):
    for seed in range(10):
        p, r = label_columns(seed)
        assert ours(p, r, average=average) == pytest.approx(theirs(r, p, average=average), abs=1e-9)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("ours", "theirs"), OURS_AND_THEIRS)
@pytest.mark.parametrize("edge", [e for e in EDGES if e != "hostile names"])
def test_equal_to_scikit_learn_on_edges(ours, theirs, average, edge):
    p, r = EDGES[edge]
    expected = theirs(r, p, average=average, zero_division=0)
    assert ours(p, r, average=average) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("labels", [["a", "b"], ["c", "a", "z"], ["z"]])
def test_a_choice_of_labels_is_averaged_as_scikit_learn_does(average, labels):
    p, r = ["a", "b", "c", "a", "d"], ["a", "c", "c", "b", "a"]
    for ours, theirs in OURS_AND_THEIRS:
        expected = theirs(r, p, labels=labels, average=average, zero_division=0)
        assert ours(p, r, average=average, labels=labels) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("average", AVERAGES)
def test_label_sets_equal_scikit_learn_as_arrays_and_as_collections(average):
    random = np.random.default_rng(3)
    p, r = random.random((60, 4)) < 0.4, random.random((60, 4)) < 0.4
    r[:, 3] = False  # a label that never occurs
    for ours, theirs in OURS_AND_THEIRS:
        expected = theirs(r, p, average=average, zero_division=0)
        assert ours(p, r, average=average) == pytest.approx(expected, abs=1e-9)
        p_sets, r_sets = ([{NAMES[j] for j in np.flatnonzero(row)} for row in m] for m in (p, r))
        assert ours(p_sets, r_sets, average=average, labels=NAMES) == pytest.approx(
            expected, abs=1e-9
        )


def test_per_label_equals_scikit_learn():
    p, r = label_columns(7)
    expected = sk.classification_report(r, p, output_dict=True)
    ours = per_label(p, r)
    assert list(ours) == NAMES
    for name in NAMES:
        assert ours[name]["precision"] == pytest.approx(expected[name]["precision"], abs=1e-9)
        assert ours[name]["recall"] == pytest.approx(expected[name]["recall"], abs=1e-9)
        assert ours[name]["f1"] == pytest.approx(expected[name]["f1-score"], abs=1e-9)
        assert ours[name]["support"] == expected[name]["support"]


def test_per_label_keeps_the_order_given_and_names_absent_labels():
    found = per_label(["b", "a"], ["b", "b"], labels=["z", "b", "a"])
    assert list(found) == ["z", "b", "a"]
    assert found["z"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_no_rows_is_zero():
    assert macro_f1([], []) == micro_f1([], []) == weighted_f1([], []) == 0.0
    assert per_label([], [], labels=["a"])["a"]["support"] == 0


def test_unknown_average_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'macro'"):
        f1(["a"], ["a"], average="makro")


@given(pairs_of_labels)
def test_f1_lies_between_zero_and_the_larger_of_precision_and_recall(pairs):
    p, r = zip(*pairs, strict=True)
    for label, scores in per_label(p, r).items():
        top = max(scores["precision"], scores["recall"])
        low = min(scores["precision"], scores["recall"])
        assert low - 1e-12 <= scores["f1"] <= top + 1e-12, label
    assert 0.0 <= macro_f1(p, r) <= 1.0


@given(pairs_of_labels)
def test_micro_f1_of_one_label_a_row_is_accuracy(pairs):
    p, r = zip(*pairs, strict=True)
    right = sum(a == b for a, b in pairs)
    assert micro_f1(p, r) == pytest.approx(right / len(pairs), abs=1e-12)


@given(pairs_of_labels)
def test_row_order_and_label_names_do_not_matter(pairs):
    p, r = zip(*pairs, strict=True)
    rename = {"a": "Ω", "b": "b", "c": "!", "d": "zebra"}
    back = [[rename[v] for v in reversed(column)] for column in (p, r)]
    assert macro_f1(*back) == pytest.approx(macro_f1(p, r), abs=1e-12)
