"""What labels are worth: the ways get the same rows, and the factor is read off their scores."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from training.tiny import rows, tiny_model

from headway import learning_curve
from headway.adaptation.learning_curve import WAYS, saved_labels
from headway.data import Dataset
from headway.errors import ConfigError, InputError, OutputError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny_model().save(folder)
    return str(folder)


SMALL: dict[str, Any] = {"labels": (2, 4), "seeds": 2, "epochs": 1, "precision": "fp32"}


def test_all_ways_at_all_numbers(model: str, tmp_path: Path) -> None:
    found = learning_curve(model, rows(n=80), out=tmp_path / "curve", **SMALL)
    ways = {*WAYS, "TF-IDF"}
    seen = {(p["way"], p["labels"], p["seed"]) for p in found["points"]}
    assert seen == {(way, n, seed) for way in ways for n in (2, 4) for seed in (0, 1)}
    assert len(found["points"]) == len(seen) and found["ours"] == "this model"
    assert found["mean"].keys() == ways and found["saved"].keys() == ways - {"this model"}
    assert json.loads((tmp_path / "curve/learning-curve.json").read_text("utf-8")) == found
    page = (tmp_path / "curve/learning-curve.html").read_text("utf-8")
    assert "<svg" in page and "<script" not in page and not re.search(r"(src|href)=\"(?!#)", page)
    assert found["test_rows"] == 16


def test_ways_differ_in_what_they_are_named_for(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Dataset, dict[str, Any], list[float]]] = []
    curves = importlib.import_module("headway.adaptation.learning_curve")
    adapt = curves.adapt

    def watched(given: Any, data: Any, **settings: Any) -> Any:
        words = given.body.embeddings.words.weight.detach().flatten()[:5].tolist()
        seen.append((given, data["train"], settings, words))
        return adapt(given, data, **settings)

    monkeypatch.setattr(curves, "adapt", watched)
    learning_curve(model, rows(n=80), labels=(2,), seeds=1, epochs=1, precision="fp32")
    (_, first, ours, as_it_came), (_, second, plain, also), (_, third, scratch, fresh) = seen
    assert first["text"] == second["text"] == third["text"]
    assert {ours["seed"], plain["seed"], scratch["seed"]} == {0}
    assert "probe" not in ours and not plain["probe"] and not scratch["contrast"]
    assert as_it_came == also != fresh
    assert [settings["test"] is ours["test"] for *_, settings, _ in seen] == [True] * 3


def test_saved_labels() -> None:
    assert saved_labels(0.7, 8, {8: 0.6, 32: 0.8}) == (2.0, False)
    assert saved_labels(0.81, 8, {8: 0.6, 32: 0.8}) == (4.0, True)
    assert saved_labels(0.6, 8, {8: 0.6, 32: 0.8}) is None
    assert saved_labels(0.75, 16, {8: 0.5, 16: 0.6, 64: 0.9}) == (2.0, False)


def test_what_cannot_be(model: str) -> None:
    for wrong in ({"labels": ()}, {"labels": (0,)}, {"seeds": 0}, {"ways": ("other",)}):
        with pytest.raises(ConfigError):
            learning_curve(model, rows(n=20), **wrong)
    with pytest.raises(InputError):
        learning_curve(model, "nowhere.csv")


@pytest.mark.parametrize("name", ["max_labels_per_class", "seed", "baseline"])
def test_what_the_curve_decides_is_not_given(model: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} = 1 beside a learning curve"):
        learning_curve(model, rows(n=80), **SMALL, **{name: 1})
    one: dict[str, Any] = {**SMALL, "labels": (2,), "seeds": 1, "ways": ("this model",)}
    assert learning_curve(model, rows(n=80), **one, **{name: None})["points"]


def test_numbers_that_no_class_has_are_those_that_it_has(model: str) -> None:
    found = learning_curve(
        model, rows(n=30), test=rows(n=10, seed=3), labels=(2, 400, 500), seeds=1,
        ways=["this model"], epochs=1, precision="fp32", probe=False,
    )  # fmt: skip
    counts = sorted({point["labels"] for point in found["points"]})
    assert counts[0] == 2 and len(counts) == 2 and counts[1] < 30


def test_a_folder_that_cannot_be_written_is_said_before_any_run(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = importlib.import_module("headway.adaptation.learning_curve")
    monkeypatch.setattr(curves, "adapt", None)
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="Not a directory"):
        learning_curve(model, rows(n=30), out=tmp_path / "file" / "curve", **SMALL)
