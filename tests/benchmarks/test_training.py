"""The benchmark of training runs, on a few rows."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import common

    # By its file: `training` is a folder of these tests too.
    spec = importlib.util.spec_from_file_location(
        "benchmark_of_training", ROOT / "benchmarks" / "training.py"
    )
    assert spec is not None and spec.loader is not None
    training = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(training)
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(common, "ROOT", tmp_path)
    return training


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the data sets are not on this machine")
@pytest.mark.parametrize("part", ["masked", "causal"])
def test_both_start_from_nothing_and_learn_the_same_text(
    part: str, benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "VOCABULARY", 500)
    monkeypatch.setattr(benchmark, "LAYERS", 1)
    monkeypatch.setattr(benchmark, "HIDDEN", 64)
    monkeypatch.setattr("headway.config.cache_folder", lambda: tmp_path)
    runs = {way: [benchmark.one(part, way, 0, 0.0, 60)] for way in benchmark.WAYS}
    for (run,) in runs.values():
        assert 4 < run["quality"] < 7 and run["tokens_per_second"] > 0
        assert run["first_step_seconds"] > 0 < run["peak_memory_mb"]
    assert set(benchmark.summary(runs)["headway_over"]) == {*benchmark.MEASURES, "quality"}


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the data sets are not on this machine")
def test_a_run_is_a_process_of_its_own(benchmark: Any) -> None:
    found = benchmark.apart("questions", "headway", 1, 30)
    assert found["seed"] == 1 and 0 <= found["quality"] <= 1
    assert 0.5 < found["first_step_seconds"] < 200  # a cold start is a part of it


def test_the_result_is_kept_with_ratios(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apart(part: str, way: str, seed: int, rows: int | None) -> dict[str, Any]:
        value = 300.0 if way == "headway" else 100.0
        return dict.fromkeys((*benchmark.MEASURES, "quality"), value)

    monkeypatch.setattr(benchmark, "apart", apart)
    monkeypatch.setattr(sys, "argv", ["benchmarks/training.py", "questions", "--seeds", "3"])
    benchmark.main()
    kept = json.loads((tmp_path / "training_questions.json").read_text())
    assert [len(found) for found in kept["runs"].values()] == [3, 3, 3]
    assert kept["headway_over"]["tokens_per_second"]["Trainer, defaults"] == 3
