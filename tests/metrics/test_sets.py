"""GLUE's and SuperGLUE's sets: what the benchmarks report, computed another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from headway.data import read
from headway.errors import ConfigError
from headway.metrics import METRIC_SETS, confidence_interval, metric

GLUE = "cola sst2 mrpc qqp stsb mnli qnli rte wnli ax"
SUPERGLUE = "boolq cb copa multirc record rte wic wsc axb axg"


def test_every_task_of_both_benchmarks_is_there():
    assert {f"glue/{task}" for task in GLUE.split()} <= set(METRIC_SETS)
    assert {f"superglue/{task}" for task in SUPERGLUE.split()} <= set(METRIC_SETS)


@pytest.mark.parametrize("task", ["mrpc", "qqp"])
def test_paraphrases(task):
    p, r = np.random.default_rng(0).integers(0, 2, (2, 80))
    expected = {"accuracy": sk.accuracy_score(r, p), "binary_f1": sk.f1_score(r, p)}
    assert metric(f"glue/{task}", p, r) == pytest.approx(expected, abs=1e-9)
    names = [np.array(["other", "same"])[column].tolist() for column in (p, r)]
    assert metric(f"glue/{task}", *names, positive="same") == metric(f"glue/{task}", p, r)
    with pytest.raises(ConfigError, match="some labels are texts"):
        metric(f"glue/{task}", *names)


def test_paraphrases_of_news(shared):
    quality = read(shared / "mrpc" / "msr_paraphrase_test.txt", format="tsv").column("Quality")
    r = np.array([int(each) for each in quality.to_pylist()])
    p = np.ones_like(r)
    assert len(r) == 1725
    # Always saying "paraphrase": the published majority baseline, 66.5 and 79.9.
    found = metric("glue/mrpc", p, r)
    assert [round(100 * value, 1) for value in found.values()] == [66.5, 79.9]


def test_similarity():
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    expected = [stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic]
    assert list(metric("glue/stsb", x, y).values()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["glue/cola", "glue/ax", "superglue/axb"])
def test_matthews(name):
    p, r = np.random.default_rng(1).integers(0, 2, (2, 80))
    assert metric(name, p, r) == pytest.approx({"mcc": sk.matthews_corrcoef(r, p)}, abs=1e-9)


def test_commitment_bank():
    p, r = np.random.default_rng(2).integers(0, 3, (2, 60))
    expected = [sk.accuracy_score(r, p), sk.f1_score(r, p, average="macro")]
    assert list(metric("superglue/cb", p, r).values()) == pytest.approx(expected, abs=1e-9)


def test_multirc_is_f1_of_all_answers_and_exact_match_of_questions():
    random = np.random.default_rng(3)
    p, r, flat = [], [], []
    for _ in range(40):
        said, there = random.random((2, int(random.integers(1, 6)))) < 0.5
        flat.append((said, there))
        p.append(set(np.flatnonzero(said).tolist()))
        r.append(set(np.flatnonzero(there).tolist()))
    answers = [np.concatenate(column) for column in zip(*flat, strict=True)]
    exact = np.mean([(said == there).all() for said, there in flat])
    found = metric("superglue/multirc", p, r)
    assert found["micro_f1"] == pytest.approx(sk.f1_score(answers[1], answers[0]), abs=1e-9)
    assert found["exact_match"] == pytest.approx(exact, abs=1e-9)


def test_record_takes_the_best_of_the_entities():
    found = metric("superglue/record", ["Bill Gates", "Paris"], [["Gates", "Bill Gates"], ["Rome"]])
    assert found == {"squad_f1": 50.0, "squad_exact_match": 50.0}


def test_an_interval_is_of_one_metric():
    with pytest.raises(
        ConfigError, match=r"'glue/mrpc' is a set.*one of them: accuracy, binary_f1"
    ):
        confidence_interval("glue/mrpc", [1], [1])
