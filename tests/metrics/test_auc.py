"""Area under the ROC curve: equal to scikit-learn, ties and all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from headway.errors import ConfigError
from headway.metrics import auc

from .contracts import NAMES, label_columns, probabilities

scores_and_labels = st.lists(
    st.tuples(st.integers(-3, 3) | st.floats(-1e9, 1e9), st.booleans()), min_size=1, max_size=40
)


@given(scores_and_labels)
def test_two_labels_equal_scikit_learn(rows):
    scores, positive = [list(column) for column in zip(*rows, strict=True)]
    if len(set(positive)) == 1:
        assert auc(scores, positive) == 0.5
        return
    assert auc(scores, positive) == pytest.approx(sk.roc_auc_score(positive, scores), abs=1e-9)


def test_many_labels_equal_scikit_learn():
    for seed in range(10):
        table = probabilities(seed, 80, 4).round(2)  # ties
        table /= table.sum(axis=1, keepdims=True)
        _, references = label_columns(seed, n=80)
        expected = sk.roc_auc_score(references, table, multi_class="ovr")
        assert auc(table, references, labels=NAMES) == pytest.approx(expected, abs=1e-9)
        codes = [NAMES.index(name) for name in references]
        assert auc(table.tolist(), codes) == pytest.approx(expected, abs=1e-9)


def test_two_columns_are_the_second_one():
    table = probabilities(0, 50, 2)
    references = np.random.default_rng(0).integers(0, 2, 50)
    assert auc(table, references) == auc(table[:, 1], references)
    assert auc(table, references) == pytest.approx(sk.roc_auc_score(references, table[:, 1]))


def test_the_order_of_two_labels_can_be_named():
    scores, references = [0.9, 0.2, 0.6], ["ham", "spam", "ham"]
    assert auc(scores, references) == 0.0
    assert auc(scores, references, labels=["spam", "ham"]) == 1.0


def test_labels_that_never_occur_are_left_out_of_the_mean():
    table = probabilities(1, 60, 3)
    references = np.random.default_rng(1).integers(0, 2, 60)
    expected = np.mean([sk.roc_auc_score(references == c, table[:, c]) for c in (0, 1)])
    assert auc(table, references) == pytest.approx(expected, abs=1e-9)
    assert auc(table, np.zeros(60, int)) == 0.5


@pytest.mark.parametrize(
    ("predictions", "references", "options", "said"),
    [
        ([0.1], [0, 1], {}, "1 predictions for 2 references"),
        ([0.1, float("nan")], [0, 1], {}, r"row 1 of the predictions is \[nan\]"),
        (np.full((2, 3), np.nan), [0, 1], {}, r"row 0 of the predictions is \[nan nan nan\]"),
        (["a", "b"], [0, 1], {}, "predictions are not numbers"),
        ([0.1, 0.2, 0.3], [0, 1, 2], {}, r"3 labels \(0, 1, 2\) for 1 columns"),
        ([0.1, 0.2], [0, 1], {"labels": [1, 2]}, r"3 labels \(1, 2, 0\)"),
        (np.zeros((2, 3)), [0, 3], {}, r"4 labels \(0, 1, 2, 3\) for 3 columns"),
        (np.zeros((2, 3)), ["a", "b"], {}, "some labels are texts and some are numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        auc(predictions, references, **options)
