from __future__ import annotations

import json
from typing import Any

import pytest
from training.tiny import put_head, rows, tiny_model

from headway.adaptation.report import lengths_of, parameters_of
from headway.data import Dataset
from headway.metrics import accuracy, tfidf_baseline
from headway.model import Model
from headway.windows import window_texts

from .quick import LEARNS, quick

FIELDS = {
    "task": str,
    "kind": str,
    "model": str,
    "family": str,
    "created": str,
    "command": str,
    "data": {"name": str, "rows": dict, "labels": dict, "hash": str, "columns": dict,
             "duplicates_dropped": int, "leaked_dropped": int, "near_leaks": int},
    "label_names": list,
    "test": {"n": int, "confidence_interval_95": list},
    "baseline": {"name": str, "confidence_interval_95": list},
    "lengths": {"max_model": int, "max_seen": int, "windowed": int, "windows": int,
                "percentiles": dict, "histogram": dict},
    "curve": {"train": list, "validation": list},
    "examples": list,
    "seconds": {"load": float, "tokenize": float, "probe": float, "train": float,
                "evaluate": float, "baseline": float, "total": float},
    "tokens_per_second": {"train": float, "evaluate": float},
    "utilisation": {"gflops": float, "peak_gflops": float, "share": float},
    "energy": {"watt_hours": float, "measured": bool},
    "peak_memory_mb": float,
    "parameters": {"body": int, "head": int},
    "settings": {"epochs": int, "learning_rate": float, "batch_tokens": int, "precision": str,
                 "probe": bool, "head": str, "window": int, "class_weights": bool},
    "seed": int,
    "versions": {"headway": str, "python": str, "torch": str, "numpy": str, "threads": str},
    "notes": list,
}  # fmt: skip
MEASURES = {
    "single-label": ("accuracy", "macro_f1", "per_label"),
    "multi-label": ("accuracy", "micro_f1", "macro_f1", "per_label"),
    "regression": ("pearson", "spearman", "mae", "mse", "r2"),
}


def check(found: Any, wanted: Any, where: str = "report") -> None:
    if not isinstance(wanted, dict):
        assert isinstance(found, wanted), where
        return
    for name, inner in wanted.items():
        assert name in found, f"{where}.{name}"
        check(found[name], inner, f"{where}.{name}")


@pytest.mark.parametrize("kind", list(MEASURES))
def test_fields(kind: str) -> None:
    report = quick(data=rows(kind, n=60), validation=0.2, baseline=True, epochs=2).report
    check(report, FIELDS)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    for measure in MEASURES[kind]:
        assert measure in report["test"]
        assert measure in report["baseline"] or measure == "per_label"
    assert sum(report["data"]["rows"].values()) == 60
    assert report["seconds"]["total"] == pytest.approx(
        sum(v for k, v in report["seconds"].items() if k != "total")
    )
    assert 50 < report["peak_memory_mb"] < 100_000
    assert [row["epoch"] for row in report["curve"]["validation"]] == [1, 2]


def test_counts_are_those_of_the_training_rows() -> None:
    data = Dataset.from_columns(
        {"text": [f"w{n % 20} w{n // 20}" for n in range(90)], "label": ["a", "b", "b"] * 30}
    )
    report = quick(
        data={
            "train": data,
            "test": rows(n=9)
            .select([])
            .concatenate(Dataset.from_columns({"text": ["red"], "label": ["a"]})),
        }
    ).report
    assert report["data"]["labels"] == {"a": 30, "b": 60}
    sets = Dataset.from_columns({"text": ["w1", "w2", "w3"], "label": [["x", "y"], ["y"], []]})
    test = Dataset.from_columns({"text": ["w5"], "label": [["x"]]})
    assert quick(data=sets, test=test).report["data"]["labels"] == {"x": 1, "y": 2}


def test_the_baseline_is_scored_on_the_same_rows() -> None:
    data, test = rows(n=80, signs=3), rows(n=30, seed=4, signs=3)
    report = quick(data=data, test=test, baseline=True).report
    found = tfidf_baseline(data["text"], data["label"], test["text"], kind="single-label")
    assert report["baseline"]["accuracy"] == accuracy(list(found.predictions), test["label"])
    assert report["baseline"]["n"] == 30
    assert quick(data=data, test=test, baseline=False).report["baseline"] is None


@pytest.mark.parametrize("labels", [[0, 1, 2], ["0", "1", "2"], [[0], [1, 2], []]], ids=str)
def test_the_baseline_takes_labels_of_any_type(labels: list[Any]) -> None:
    data = Dataset.from_columns({"text": [f"w{n} red" for n in range(12)], "label": labels * 4})
    report = quick(data=data, baseline=True).report
    assert 0 <= report["baseline"]["accuracy"] <= 1
    assert report["label_names"] == ["0", "1", "2"]


def test_examples_show_the_surest_mistakes_first() -> None:
    data = rows(n=200)
    test = rows(n=60, seed=3)
    swapped = {"red": "green", "green": "red"}
    labels = [swapped[v] if n < 4 else v for n, v in enumerate(test["label"])]
    wrong = Dataset.from_columns({"text": test["text"], "label": labels})
    examples = quick(data=data, test=wrong, **LEARNS).report["examples"]
    states = [example["label"] == example["prediction"] for example in examples]
    assert states == [False] * 3 + [True] * 3
    assert {example["prediction"] for example in examples[3:5]} == {"red", "green"}
    for part in (examples[:3], examples[3:5]):
        scores = [example["score"] for example in part]
        assert scores == sorted(scores, reverse=True) and min(scores) >= 0.5
    assert all(example["text"] in test["text"] for example in examples)
    assert all(
        e["tokens"]
        == {"used": len(e["text"].split()), "total": len(e["text"].split()), "windows": 1}
        for e in examples
    )


def test_examples_of_label_sets_and_numbers() -> None:
    sets = quick(data=rows("multi-label", signs=3)).report["examples"]
    assert all(isinstance(e["label"], list) and isinstance(e["prediction"], list) for e in sets)
    assert all(0.5 <= e["score"] <= 1 for e in sets)
    numbers = quick(data=rows("regression")).report["examples"]
    far = [abs(e["label"] - e["prediction"]) for e in numbers]
    assert far == sorted(far, reverse=True) and all(e["score"] is None for e in numbers)


def test_pairs_and_long_texts_are_shown_in_part() -> None:
    report = quick(data=rows(pair=True), pair="other").report
    assert all(" ⏐ " in example["text"] for example in report["examples"])


def read(model: Model, texts: list[str]) -> Any:
    return window_texts(model.need_tokenizer(), texts, size=24)


def test_lengths_count_tokens_of_the_text_and_windows() -> None:
    texts = read(tiny_model(), ["w1", "w1 " * 22, "w1 " * 23, ""])
    found = lengths_of(texts, 24)
    assert (found["max_model"], found["max_seen"]) == (24, 23)
    assert (found["windowed"], found["windows"]) == (1, 5)
    assert found["percentiles"]["100"] == 23 and found["percentiles"]["50"] == 11.5
    assert sum(found["histogram"]["counts"]) == 4
    assert lengths_of([], None)["max_seen"] == 0
    assert (found["window"], found["left_out"]) == (24, 0)
    assert lengths_of(texts, 512, window=24)["window"] == 24


def test_parameters_of_head_and_body() -> None:
    model = put_head(tiny_model(), ("a", "b"))
    found = parameters_of(model)
    assert found["head"] == 32 * 2 + 2
    assert found["body"] == sum(p.numel() for p in model.body.parameters())
