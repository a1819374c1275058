"""Ways to adapt, tried on the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pipelines.models import writer
from training.tiny import rows, tiny_model

from headway import Dataset, advise
from headway.adaptation.advise import Tried, _advice
from headway.adaptation.methods import METHODS
from headway.errors import ConfigError

USUAL: dict[str, Any] = {"seconds": 5.0, "epochs": 4, "probe": False, "precision": "fp32"}


@pytest.fixture
def model(tmp_path: Path) -> str:
    tiny_model().save(tmp_path / "model")
    return str(tmp_path / "model")


def test_every_way_is_tried_on_the_same_rows(model: str) -> None:
    found = advise(model, rows(n=150), lr=5e-3, **USUAL)
    assert [one.method for one in found.tried] == list(METHODS)
    assert found.method in METHODS and found.measure == "accuracy" and found.method in found.why
    by_name = {one.method: one for one in found.tried}
    learned = [by_name[name].learned for name in ("full", "last-layers", "lora", "biases", "head")]
    assert learned[0] == by_name["gradual"].learned == max(learned)
    assert learned[-1] == min(learned) and learned[3] < learned[2]
    assert {one.steps for one in found.tried} == {found.tried[0].steps}
    assert all(one.interval[0] <= one.score <= one.interval[1] for one in found.tried)


def test_rows_for_testing_are_not_looked_at(model: str) -> None:
    splits = {"train": rows(n=80), "test": rows(n=10, seed=4)}
    found = advise(model, splits, methods=["full"], **USUAL)
    again = advise(model, {"train": rows(n=80)}, methods=["full"], **USUAL)
    assert found.tried[0].score == again.tried[0].score


def test_a_way_that_does_not_fit_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny_model("llama").save(tmp_path / "llama")
    with caplog.at_level("INFO", logger="headway"):
        found = advise(tmp_path / "llama", rows(n=60), methods=["biases", "head"], **USUAL)
    assert [one.method for one in found.tried] == ["head"]
    assert "biases does not fit" in caplog.text
    with pytest.raises(ConfigError, match="'biases'"):
        advise(tmp_path / "llama", rows(n=60), methods=["biases"], **USUAL)


def test_a_head_that_is_the_word_table_is_left_out(tmp_path: Path) -> None:
    writer("gpt2").save(tmp_path / "model")
    texts = Dataset.from_columns({"text": [f"w{n % 9} w{n % 7} w{n % 5}" for n in range(60)]})
    found = advise(
        str(tmp_path / "model"), texts, task="text-generation", methods=["last-layers", "head"],
        **USUAL,
    )  # fmt: skip
    assert [one.method for one in found.tried] == ["last-layers"]


def test_time_ends_a_way(model: str) -> None:
    found = advise(model, rows(n=150), methods=["full"], **USUAL | {"seconds": 0.05, "epochs": 500})
    assert found.tried[0].steps < 500


@pytest.mark.parametrize("name", ["method", "validation", "out"])
def test_what_advice_decides_is_not_given(model: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} = .* beside advice"):
        advise(model, rows(n=60), **{name: "full" if name == "method" else 0.1}, **USUAL)


def tried(method: str, score: float, seconds: float, half: float = 0.03) -> Tried:
    return Tried(method, score, (score - half, score + half), 10, seconds, 1.0, 5)


@pytest.mark.parametrize(
    ("others", "wanted"),
    [
        ([tried("head", 0.80, 1)], "full"),  # worse than chance could make it
        ([tried("lora", 0.89, 8)], "full"),  # as good, and hardly faster
        ([tried("lora", 0.89, 5)], "lora"),
        ([tried("lora", 0.89, 5), tried("head", 0.88, 1)], "head"),
        ([tried("lora", 0.95, 30)], "lora"),  # better
    ],
)
def test_the_best_or_the_fastest_that_is_as_good(others: list[Tried], wanted: str) -> None:
    assert _advice([tried("full", 0.90, 10), *others], "accuracy").method == wanted


def test_where_less_is_better_the_least_is_best() -> None:
    ways = [tried("full", 9.0, 10, half=0.5), tried("head", 20.0, 1, half=0.5)]
    assert _advice(ways, "perplexity").method == "full"
