"""Labels of tokens: equal to metrics of one label a row, but for what a row is."""

from itertools import chain

import numpy as np
import pytest

from headway.errors import ConfigError
from headway.metrics import (
    accuracy,
    bootstrap_interval,
    confidence_interval,
    f1,
    permutation_test,
    token_accuracy,
    token_f1,
)

from .contracts import NAMES, tag_columns


def flat(column):
    return list(chain.from_iterable(column))


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_one_label_a_row(seed):
    p, r = tag_columns(seed, 30, NAMES)
    assert token_accuracy(p, r) == accuracy(flat(p), flat(r))
    for average in ("macro", "micro", "weighted"):
        for labels in (None, NAMES[:2], [*NAMES, "elm"]):
            wanted = f1(flat(p), flat(r), average=average, labels=labels)
            assert token_f1(p, r, average=average, labels=labels) == pytest.approx(wanted)


def test_intervals_draw_whole_rows():
    p, r = tag_columns(1, 25, NAMES)
    wanted = bootstrap_interval(token_accuracy, p, r, resamples=60)
    assert confidence_interval("token_accuracy", p, r, resamples=60) == pytest.approx(wanted)


def test_a_test_exchanges_whole_rows():
    """One row, however long, is one exchange: both differences are as large."""
    found = permutation_test("token_accuracy", [[1] * 90], [[0] * 90], [[1] * 90])
    assert found["difference"] == 1.0
    assert (found["samples"], found["p_value"]) == (2, 1.0)


def test_numbers_and_arrays():
    assert token_accuracy([np.array([3, 4]), []], [[3, 5], ()]) == 0.5
    assert token_accuracy([[], []], [[], []]) == token_f1([[]], [[]]) == 0.0


def test_what_is_refused_is_named_with_its_row():
    with pytest.raises(ConfigError, match="row 1 has 1 predicted labels for 2 tokens"):
        token_accuracy([["a"], ["a"]], [["a"], ["a", "b"]])
    for row in ("ab", 3, None, [None], [["a"]], [0.5]):
        with pytest.raises(ConfigError, match="row 0 of the predictions is"):
            token_accuracy([row], [["a"]])
    with pytest.raises(ConfigError, match="some are numbers"):
        token_f1([["a"]], [[1]])
