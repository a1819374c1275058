from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipelines.models import masker, writer
from training.tiny import put_head, rows, tiny_model

import headway
from headway.adaptation import compare, evaluate
from headway.data import Dataset
from headway.errors import ConfigError
from headway.metrics import mcnemar, permutation_test

from .quick import LEARNS, quick

COUNT = 60


def held() -> Dataset:
    """Rows that neither run has seen."""
    return rows(n=COUNT, seed=9)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A run that has learned and one that has not."""
    folder = tmp_path_factory.mktemp("runs")
    names = (str(folder / "good"), str(folder / "poor"))
    data, test = rows(n=200, seed=1), rows(n=20, seed=2)
    quick(data=data, test=test, out=names[0], **{**LEARNS, "epochs": 12})
    quick(data=data, test=test, out=names[1], lr=1e-6, probe=False)
    return names


@pytest.fixture(scope="module")
def found(runs: tuple[str, str]) -> dict[str, Any]:
    return compare(*runs, held())


def test_each_run_is_measured_as_alone(runs: tuple[str, str], found: dict[str, Any]) -> None:
    for name, told in zip(runs, found["runs"], strict=True):
        assert told["test"] == evaluate(name, held())["test"]
        assert told["model"] == name
        weights = Path(name, "model.safetensors").stat().st_size / 1e6
        assert told["disk_mb"] == pytest.approx(weights)
        assert told["parameters"]["body"] > 1000 and told["tokens_per_second"] > 0
        assert told["peak_memory_mb"] is None or told["peak_memory_mb"] > 50
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    (accuracy, macro) = found["measures"]
    first, second = (one["test"]["accuracy"] for one in found["runs"])
    assert accuracy["difference"] == first - second > 0.2
    for told, ends in zip(found["runs"], accuracy["intervals"], strict=True):
        assert ends == pytest.approx(told["test"]["confidence_interval_95"])
    assert macro["p_value"] < 0.01 and macro["intervals"][0][0] > macro["intervals"][1][1]


def test_the_tests_are_paired(runs: tuple[str, str], found: dict[str, Any]) -> None:
    """Those of the metrics, on the labels that the runs' pipelines give."""
    data = held()
    labels = [
        [one["label"] for one in headway.pipeline(name, precision="fp32")(data["text"])]
        for name in runs
    ]
    assert found["paired"]["right"] == mcnemar(*labels, data["label"])
    wrong = [[float(a != b) for a, b in zip(each, data["label"], strict=True)] for each in labels]
    for row in found["measures"]:
        more = {"labels": ["blue", "red"]} if row["key"] == "macro_f1" else {}
        samples = 1000 if more else 10_000
        wanted = permutation_test(row["key"], *labels, data["label"], samples=samples, **more)
        assert row["p_value"] == wanted["p_value"]
    same = permutation_test("mae", *wrong, [0.0] * COUNT)
    assert found["paired"]["mean_error"] == same
    assert same["p_value"] < 0.01


def test_a_run_does_not_differ_from_itself(runs: tuple[str, str]) -> None:
    told = compare(runs[0], headway.load(runs[0]), {"test": held()})
    assert all(row["difference"] == 0 for row in told["measures"])
    assert told["paired"]["mean_error"]["p_value"] == told["paired"]["right"]["p_value"] == 1
    assert told["runs"][1]["disk_mb"] is None


def test_what_cannot_be_compared(runs: tuple[str, str]) -> None:
    number = put_head(tiny_model(), ("score",), "regression")
    data = Dataset.from_columns({"text": ["w1", "w2"], "label": [0.5, 1.0]})
    with pytest.raises(ConfigError, match="none of measuring"):
        compare(*runs, held(), epochs=3)
    told = compare(number, number, data, precision="fp32")
    assert told["kind"] == "regression" and told["paired"]["right"] is None
    with pytest.raises(ConfigError, match="the two runs are for text-classification"):
        compare(runs[0], writer("gpt2"), held())


def test_measures_of_tokens_are_tested_by_texts() -> None:
    """A text is a row, whatever the number of its hidden words."""
    first, second = masker(), masker(seed=6)
    data = Dataset.from_columns({"text": [row["text"] for row in rows(n=30, seed=4)]})
    told = compare(first, second, data, precision="fp32")
    assert [row["key"] for row in told["measures"]] == ["accuracy", "perplexity"]
    for row in told["measures"]:
        assert 0 < row["p_value"] <= 1
        for value, (low, high) in zip((row["first"], row["second"]), row["intervals"], strict=True):
            assert low <= value <= high
    low, high = told["measures"][1]["intervals"][0]
    assert low < high and told["measures"][1]["difference"] != 0
    assert told["measures"][0]["intervals"][0] == told["runs"][0]["test"]["confidence_interval_95"]
