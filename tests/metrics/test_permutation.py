"""The permutation test: equal to scipy's, to McNemar's, and right under chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from headway.errors import ConfigError
from headway.metrics import METRICS, mcnemar, permutation_test

from .contracts import NAMES, TAGS, TOKENS, columns_for, label_columns, takes_labels


def three_columns(name: str, seed: int, n: int):
    """Two models' predictions for the same rows, and the references where there are any."""
    first, *others = columns_for(name, seed=seed, n=n)
    second = columns_for(name, seed=seed + 100, n=n)[0]
    if name in TAGS | TOKENS:  # as many tags as there are tokens
        random = np.random.default_rng(seed)
        second = [random.permutation(row).tolist() for row in first]
    return first, second, *others


def chosen(first, second, flips):
    if isinstance(first, np.ndarray):
        return np.stack([b if flip else a for a, b, flip in zip(first, second, flips, strict=True)])
    return [b if flip else a for a, b, flip in zip(first, second, flips, strict=True)]


@pytest.mark.parametrize("name", METRICS)
def test_all_exchanges_of_few_rows_equal_brute_force(name):
    n = 5
    first, second, *others = three_columns(name, 3, n)
    options = {"labels": NAMES} if takes_labels(name) else {}
    function = METRICS[name]
    differences = []
    for choice in range(2**n):
        flips = [bool(choice >> row & 1) for row in range(n)]
        mixed = chosen(first, second, flips), chosen(second, first, flips)
        one, other = (function(each, *others, **options) for each in mixed)
        differences.append(one - other)
    observed = abs(differences[0])
    expected = np.mean([abs(each) >= observed - 1e-9 for each in differences])
    found = permutation_test(name, first, second, *others, **options)
    assert found["difference"] == pytest.approx(differences[0], abs=1e-9)
    assert found["p_value"] == pytest.approx(expected, abs=1e-12)


def test_equal_to_scipy_on_means():
    random = np.random.default_rng(0)
    references = random.normal(size=12)
    first = references + random.normal(size=12)
    second = references + 2 * random.normal(size=12)
    errors = [np.abs(each - references) for each in (first, second)]
    theirs = stats.permutation_test(
        errors, lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=np.inf
    )
    found = permutation_test("mae", first, second, references)
    assert found["samples"] == 2**12
    assert found["difference"] == pytest.approx(theirs.statistic, abs=1e-12)
    assert found["p_value"] == pytest.approx(theirs.pvalue, abs=1e-12)


def test_of_accuracy_it_is_mcnemars_test():
    for seed in range(5):
        first, references = label_columns(seed, n=25)
        second = [r if i % 5 else p for i, (p, r) in enumerate(zip(first, references, strict=True))]
        second[0] = "none of them"
        expected = mcnemar(first, second, references)["p_value"]
        found = permutation_test("accuracy", first, second, references, samples=2**20)
        assert found["p_value"] == pytest.approx(expected, abs=1e-9)


def test_drawn_exchanges_come_near_all_of_them():
    first, second, references = three_columns("rouge1", 1, 14)
    every = permutation_test("rouge1", first, second, references, samples=2**14)
    drawn = permutation_test("rouge1", first, second, references, samples=8000, seed=5)
    assert (every["samples"], drawn["samples"]) == (2**14, 8000)
    assert drawn["p_value"] == pytest.approx(every["p_value"], abs=0.02)
    again = permutation_test("rouge1", first, second, references, samples=8000, seed=5)
    assert drawn == again
    assert drawn != permutation_test("rouge1", first, second, references, samples=8000, seed=6)


def test_equal_models_are_told_apart_as_often_as_promised():
    random = np.random.default_rng(0)
    small = 0
    for seed in range(200):
        references = random.normal(size=40)
        first, second = references + random.normal(size=(2, 40))
        found = permutation_test("mse", first, second, references, samples=199, seed=seed)
        small += found["p_value"] <= 0.1
    assert 8 <= small <= 34  # 20 expected; outside once in 500


def test_a_better_model_is_found_better():
    random = np.random.default_rng(0)
    references = random.integers(0, 3, 300)
    second = np.where(random.random(300) < 0.6, references, random.integers(0, 3, 300))
    first = np.where(random.random(300) < 0.7, references, second)
    for name in ("accuracy", "macro_f1", "mcc", "cohen_kappa"):
        found = permutation_test(name, first, second, references, samples=400)
        assert found["difference"] > 0
        assert found["p_value"] == 1 / 401


def test_the_same_predictions_do_not_differ_and_no_rows_say_nothing():
    column = ["a", "b"]
    found = permutation_test("accuracy", column, column, column)
    assert found == {"first": 1.0, "second": 1.0, "difference": 0.0, "p_value": 1.0, "samples": 1}
    for name in METRICS:
        assert permutation_test(name, [], [], [])["p_value"] == 1.0


def test_labels_of_either_model_count_for_both():
    first, second = [["B-A"], ["B-A"]], [["B-A"], ["B-B"]]
    found = permutation_test("entity_f1", first, second, first, average="macro")
    # with A and B: half of 1 + 0, and half of 2/3 + 0
    assert (found["first"], found["second"]) == (0.5, pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("name", "columns", "options", "said"),
    [
        ("accuracy", (["a"], ["a", "b"], ["a"]), {}, "1 predictions of the first model for 2"),
        ("accuracy", (["a"], ["a"], ["a", "b"]), {}, "1 predictions for 2 references"),
        ("accuracy", (["a"], ["a"], ["a"]), {"samples": 0}, "samples is 0"),
        ("accuracy", (["a"], ["a"], ["a"]), {"average": "macro"}, "no option 'average'"),
        ("glue/mrpc", ([1], [1], [1]), {}, "'glue/mrpc' is a set"),
        ("squad_v2_f1", (["a"], ["a"], ["a"]), {"no_answer": [0.5]}, "belongs to the predictions"),
        ("pearson", ([1.0], [float("nan")], [1.0]), {}, "row 0 of the predictions is nan"),
        ("mse", ([1.0], [float("nan")], [1.0]), {}, "row 0 of the predictions is nan"),
    ],
)
def test_what_cannot_be_tested_is_refused(name, columns, options, said):
    with pytest.raises(ConfigError, match=said):
        permutation_test(name, *columns, **options)
