"""The benchmarks of pre-training run, on a little text and models of no size."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pretraining.texts import paragraphs

from headway.data import Dataset

ROOT = Path(__file__).parents[2]
SMALL = "--layers 1 --hidden 32 --vocabulary 420 --batch-tokens 600 --rates 1e-3 1e-2"
WHO = "ABCDEFGH"
WORDS = ["pump", "valve", "tank", "door", "lamp", "desk", "chair", "book"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common
    import corpus

    column = pa.chunked_array([pa.array(paragraphs(), pa.large_string())])
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "ROOT", tmp_path)
    monkeypatch.setattr(corpus, "english", lambda: column)
    return tmp_path


def run(name: str, options: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", [f"benchmarks/{name}.py", *options.split()])
    sys.modules[name].main()
    found: dict[str, Any] = json.loads(next(place.glob(f"{name}*.json")).read_text())
    return found


def questions(count: int) -> tuple[list[str], list[str]]:
    """Texts of two words, the second of which is the label's."""
    kinds = [n % 2 for n in range(count)]
    return [f"{WORDS[n % 8]} {'is' if kind else 'was'}" for n, kind in enumerate(kinds)], [
        "now" if kind else "then" for kind in kinds
    ]


def rows(count: int) -> Dataset:
    texts, labels = questions(count)
    return Dataset.from_columns({"text": texts, "label": labels})


def tagged(count: int) -> Dataset:
    return Dataset.from_columns(
        {"tokens": [["the", WORDS[n % 8]] for n in range(count)], "tags": [["D", "N"]] * count}
    )


@pytest.mark.slow
def test_small_models(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import small_models

    with pa.OSFile(str(place / "english.arrow"), "wb") as file:
        table = pa.table({"text": pa.array(paragraphs())})
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    monkeypatch.setattr(small_models, "FOLDER", place)
    monkeypatch.setattr(small_models, "english", lambda: None)
    sets = {
        "text-classification": (rows(20), rows(6)),
        "token-classification": (tagged(20), tagged(6)),
    }
    monkeypatch.setattr(small_models, "sets", lambda: sets)
    options = f"bert --steps 3 --seeds 2 --epochs 1 --rows 16 --judged 4 {SMALL}"
    kept = run("small_models", options, place, monkeypatch)
    assert "pretrain bert" in kept["model"]["command"]
    assert kept["model"]["megabytes"] < 0.2
    for task in kept["tasks"].values():
        assert task["rows"] == {"train": 16, "test": 4}
        started, scratch = task["starts"]["pre-trained"], task["starts"]["scratch"]
        assert started["points_above_scratch"] == pytest.approx(
            started["mean_accuracy_percent"] - scratch["mean_accuracy_percent"]
        )
        low, high = started["interval_95_points"]
        assert low <= started["points_above_scratch"] <= high
    again = run("small_models", f"{options} --made", place, monkeypatch)
    assert again["model"] == kept["model"]


@pytest.mark.slow
def test_three_steps(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import three_steps

    speeches = [
        f"{who}:\nMy {WORDS[n]} is {n} of ten, time {time}, and that is it"
        for time in range(8)
        for n, who in enumerate(WHO)
    ]
    folder = place / "tinyshakespeare"
    folder.mkdir()
    (folder / "input.txt").write_text("\n\n".join(speeches))
    monkeypatch.setattr(three_steps, "PLACE", place / "made")
    monkeypatch.setattr(three_steps, "need_data", lambda name: place / name)
    options = f"--steps 3 --epochs 1 --task-epochs 1 --seeds 2 {SMALL}"
    kept = run("three_steps", options, place, monkeypatch)
    assert set(kept["second"]["forgotten"]) == {"documentation"}
    assert kept["task"]["rows"] == {"train": 32, "test": 32}
    assert list(kept["task"]["starts"])[-1] == "scratch"


@pytest.mark.slow
def test_objectives(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import objectives

    monkeypatch.setattr(objectives, "PLACE", place / "made")
    halves = {"train_5500": questions(20), "TREC_10": (["it is", "it was"], ["now", "then"])}
    monkeypatch.setattr(objectives, "trec", halves.get)
    kept = run("objectives", f"--steps 2 4 --seeds 1 --rows 16 {SMALL}", place, monkeypatch)
    for points in kept["curves"].values():
        assert [point["steps"] for point in points] == [2, 4]
        assert points[0]["tokens"] < points[1]["tokens"]
        assert ["scratch" in point["task"]["starts"] for point in points] == [True, False]
    assert set(kept["verdict"]) == {"seconds", "tokens"}


def test_the_verdict_is_a_ratio_of_costs(place: Path) -> None:
    import objectives

    def curve(times: float) -> list[dict[str, float]]:
        return [{"accuracy_percent": 50 + 10 * n, "seconds": times * 2**n, "tokens": 2**n}
                for n in range(4)]  # fmt: skip

    found = objectives.verdict({"masked": curve(3.0), "causal": curve(1.0)})
    assert found["seconds"]["causal_as_fast_times"] == pytest.approx(3)
    assert found["tokens"]["causal_as_fast_times"] == pytest.approx(1)
    assert found["seconds"]["accuracies_percent"] == [50, 80]
    worse = [{"accuracy_percent": 10, "seconds": 1, "tokens": 1}]
    nothing = objectives.verdict({"masked": curve(1.0), "causal": worse})
    assert nothing["seconds"]["causal_as_fast_times"] is None
