"""METRICS, and the promises that hold for every entry."""

import importlib
import math
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import headway.metrics
from headway.errors import ConfigError
from headway.metrics import METRICS, metric

from .contracts import label_columns, probabilities

PROBABILITIES = ("expected_calibration_error", "brier", "log_loss")
NUMBERS = ("pearson", "spearman", "mse", "mae", "r2")


def columns_for(name: str):
    if name in PROBABILITIES:
        return probabilities(0, 30, 3), np.random.default_rng(0).integers(0, 3, 30)
    if name in NUMBERS:
        return np.random.default_rng(0).normal(size=(2, 30))
    if name == "exact_match":
        return np.random.default_rng(0).random((2, 30, 3)) < 0.5
    return label_columns(0)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_gives_its_name_and_one_plain_finite_number(name):
    found = metric(name, *columns_for(name))
    assert list(found) == [name]
    assert type(found[name]) is float
    assert math.isfinite(found[name])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_defined_for_no_rows(name):
    assert metric(name, [], []) == {name: 0.0}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_refuses_unequal_lengths(name):
    p, r = columns_for(name)
    with pytest.raises(ConfigError, match="one prediction for each reference"):
        metric(name, p, r[:-1])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_a_card_with_an_example(name):
    card = METRICS[name].__doc__
    assert card
    assert ">>> " in card


def test_an_unknown_name_gets_the_nearest_and_the_list():
    with pytest.raises(ConfigError, match="did you mean 'macro_f1'") as caught:
        metric("macro_f", ["a"], ["a"])
    assert all(name in str(caught.value) for name in METRICS)


def test_an_unknown_option_gets_the_nearest():
    with pytest.raises(ConfigError, match=r"no option 'averge'.*did you mean 'average'"):
        metric("f1", ["a"], ["a"], averge="macro")
    with pytest.raises(ConfigError, match="no options"):
        metric("mse", [1.0], [1.0], average="macro")


def test_options_reach_the_metric():
    p, r = label_columns(1)
    assert metric("f1", p, r, average="weighted")["f1"] == METRICS["weighted_f1"](p, r)


def test_files_and_dict_agree():
    listed = {function.__module__.rpartition(".")[2] for function in METRICS.values()}
    beside = {"inputs", "by_name", "interval", "mcnemar", "baseline"}
    files = {module.name for module in pkgutil.iter_modules(headway.metrics.__path__)}
    assert files == listed | beside
    for name in listed:
        module = importlib.import_module(f"headway.metrics.{name}")
        scores = {f.__name__ for f in METRICS.values() if f.__module__ == f"headway.metrics.{name}"}
        parts = {"per_label", "confusion_matrix", "reliability_bins", "probability_table"}
        assert set(module.__all__) == scores | (parts & set(module.__all__))


def test_import_is_light():
    code = (
        "import sys, headway.metrics; "
        "print([m for m in ('torch', 'scipy', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_examples_in_the_cards_run():
    import doctest

    for module in pkgutil.iter_modules(headway.metrics.__path__):
        found = doctest.testmod(importlib.import_module(f"headway.metrics.{module.name}"))
        assert found.failed == 0, module.name
