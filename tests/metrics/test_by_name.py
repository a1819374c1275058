"""METRICS, and the promises that hold for every entry."""

import importlib
import inspect
import math
import subprocess
import sys
from itertools import product

import numpy as np
import pytest

import headway.metrics
from headway.errors import ConfigError
from headway.metrics import METRIC_SETS, METRICS, ROW_SUMS, metric

from .contracts import HOSTILE, columns_for, label_columns


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_gives_its_name_and_one_plain_finite_number(name):
    found = metric(name, *columns_for(name, seed=0))
    assert list(found) == [name]
    assert type(found[name]) is float
    assert math.isfinite(found[name])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_defined_for_no_rows(name):
    assert metric(name, [], []) == {name: 0.0}


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_refuses_unequal_lengths_and_missing_references(name):
    columns = columns_for(name, seed=0)
    if len(columns) == 1:
        assert metric(name, *columns, []) == metric(name, *columns)
        return
    with pytest.raises(ConfigError, match="one prediction for each reference"):
        metric(name, columns[0], columns[1][:-1])
    with pytest.raises(ConfigError, match="has no references"):
        metric(name, columns[0])


@pytest.mark.parametrize("name", METRICS)
def test_hostile_columns_are_refused_or_scored(name):
    for predictions, references in product(HOSTILE.values(), repeat=2):
        try:
            value = metric(name, predictions, references)[name]
        except ConfigError:
            continue
        assert type(value) is float
        assert math.isfinite(value)


@pytest.mark.parametrize("name", METRICS)
def test_no_metric_minds_the_order_of_rows(name):
    columns = columns_for(name, seed=1, n=20)
    turned = [column[::-1] for column in columns]
    assert metric(name, *turned)[name] == pytest.approx(metric(name, *columns)[name], abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_no_metric_changes_what_it_is_given(name):
    columns = columns_for(name, seed=1, n=10)
    before = repr(columns)
    metric(name, *columns)
    assert repr(columns) == before


@pytest.mark.parametrize("name", ROW_SUMS)
def test_row_sums_are_those_of_the_metric(name):
    columns = columns_for(name, seed=2)
    parts = ROW_SUMS[name](*columns)
    assert parts.rows.dtype == np.float64
    assert len(parts.rows) == len(columns[0])
    few = [column[:7] for column in columns]
    wanted = [METRICS[name](*columns), METRICS[name](*few)]
    sums = np.stack([parts.rows.sum(axis=0), parts.rows[:7].sum(axis=0)])
    assert parts.score(sums) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("name", METRIC_SETS)
def test_every_set_names_metrics_that_take_the_same_columns(name):
    names = METRIC_SETS[name]
    assert names
    assert len(set(names)) == len(names)
    found = metric(name, *columns_for(name, seed=0))
    assert list(found) == list(names)
    assert name not in METRICS


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


def test_options_of_a_set_reach_the_metrics_that_have_them():
    p, r = [["S-A", "O"]], [["S-A", "S-B"]]
    with pytest.raises(ConfigError, match="tag 'S-A' is none of this scheme"):
        metric("entities", p, r)
    assert metric("entities", p, r, scheme="IOBES")["entity_recall"] == 0.5
    found = metric("glue/mrpc", ["y", "n"], ["y", "y"], positive="y")
    assert found == {"accuracy": 0.5, "binary_f1": pytest.approx(2 / 3)}
    with pytest.raises(ConfigError, match=r"no option 'postive'.*did you mean 'positive'"):
        metric("glue/mrpc", [1], [1], postive=0)


def test_options_reach_the_metric():
    p, r = label_columns(1)
    assert metric("f1", p, r, average="weighted")["f1"] == METRICS["weighted_f1"](p, r)


def test_files_and_dict_agree():
    listed = {function.__module__.rpartition(".")[2] for function in METRICS.values()}
    for name in listed:
        module = importlib.import_module(f"headway.metrics.{name}")
        scores = {f.__name__ for f in METRICS.values() if f.__module__ == f"headway.metrics.{name}"}
        assert scores <= set(module.__all__)
        assert scores <= set(headway.metrics.__all__)


def test_row_sums_are_of_metrics_with_the_same_options():
    assert set(ROW_SUMS) <= set(METRICS)
    for name, of_rows in ROW_SUMS.items():
        own = set(inspect.signature(METRICS[name]).parameters)
        bound = set(getattr(of_rows, "keywords", {}))
        assert set(inspect.signature(of_rows).parameters) - bound == own - bound, name


def test_import_is_light():
    code = (
        "import sys, headway.metrics; "
        "heavy = {'torch', 'scipy', 'sklearn', 'sacrebleu', 'regex', 'pandas', 'matplotlib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
