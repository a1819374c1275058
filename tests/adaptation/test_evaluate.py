from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pipelines.models import tagger
from training.tiny import put_head, rows, tiny_model

from headway import evaluate, load, pipeline
from headway.data import Dataset, write
from headway.errors import ConfigError, DataError, InputError

from .quick import LEARNS, quick

SETTINGS: dict[str, Any] = {"window": 8, "stride": 1, "text": "story", "precision": "bf16"}


def stories(n: int) -> Dataset:
    """Two columns of texts: which of them counts has to be known."""
    data, noise = rows(n=n, seed=n), rows(n=n, seed=n + 1)
    return Dataset.from_columns(
        {"story": data["text"], "noise": noise["text"], "label": data["label"]}
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run with settings other than the defaults, and its report."""
    out = tmp_path_factory.mktemp("runs") / "run"
    data, test = stories(200), stories(40)
    return out, quick(data=data, test=test, out=out, **{**LEARNS, "epochs": 15}, **SETTINGS).report


def test_the_same_rows_give_the_same_numbers(run: tuple[Path, dict[str, Any]]) -> None:
    folder, report = run
    found = evaluate(folder, stories(40))
    assert report["test"]["accuracy"] > 0.9 and report["lengths"]["windowed"] > 0
    assert found["test"] == report["test"]
    assert found["label_names"] == report["label_names"]
    assert found["settings"]["precision"] == "bf16"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("setting", [{"window": 24}, {"text": "noise"}, {"precision": "fp32"}])
def test_a_setting_that_is_given_counts(
    run: tuple[Path, dict[str, Any]], setting: dict[str, Any]
) -> None:
    found = evaluate(run[0], stories(40), **setting)
    assert found["test"] != run[1]["test"]


def test_batches_do_not_matter(run: tuple[Path, dict[str, Any]]) -> None:
    data = stories(40)
    small, large = (
        evaluate(run[0], data, batch_tokens=n, precision="fp32")["test"] for n in (16, 100_000)
    )
    assert small["loss"] == pytest.approx(large["loss"], abs=1e-6)
    assert small["confusion"] == large["confusion"]


def test_files_and_splits(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    data = stories(40)
    write(data, tmp_path / "more.jsonl")
    found = evaluate(run[0], tmp_path / "more.jsonl")
    assert found["test"] == run[1]["test"]
    splits = {"test": stories(5), "other": data}
    assert evaluate(run[0], splits, split="other")["test"] == run[1]["test"]
    assert evaluate(run[0], splits)["test"]["n"] == 5


def test_the_format_of_the_training_file_says_nothing_of_this_one(tmp_path: Path) -> None:
    data = rows(n=40)
    write(data, tmp_path / "rows.csv")
    (tmp_path / "rows.csv").rename(tmp_path / "rows")
    quick(data=tmp_path / "rows", format="csv", out=tmp_path / "run")
    write(data, tmp_path / "rows.jsonl")
    assert evaluate(tmp_path / "run", tmp_path / "rows.jsonl")["test"]["n"] == 40


def test_a_model_is_measured_as_it_is(run: tuple[Path, dict[str, Any]]) -> None:
    data = stories(40)
    settings = {name: SETTINGS[name] for name in SETTINGS}
    assert evaluate(load(run[0]), data, **settings)["test"] == run[1]["test"]


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        (stories(5).select([]), {}, "no test rows"),
        ({"train": rows(n=5)}, {}, "no split 'test'"),
        (Dataset.from_columns({"story": ["a", "b"], "label": ["red", "pink"]}), {},
         "not among the training labels: 'pink'"),
        (Dataset.from_columns({"story": ["a", "b"], "label": ["red", None]}), {},
         "row 2 of the test rows: there is no label"),
        (rows(n=5), {}, "no column 'story'"),
        (rows(n=5), {"epochs": 3}, "'epochs' is none of measuring"),
        (rows(n=5), {"windows": 3}, "did you mean 'window'"),
    ],
)  # fmt: skip
def test_bad_input(
    run: tuple[Path, dict[str, Any]], data: Any, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        evaluate(run[0], data, **settings)


def test_a_model_without_a_head_for_labels() -> None:
    with pytest.raises(ConfigError, match="no head, and says no task"):
        evaluate(tiny_model(), rows(n=5))
    with pytest.raises(DataError, match="is no list of tags"):
        evaluate(tagger(), Dataset.from_columns({"text": ["w1"], "tags": ["red"]}))


@pytest.mark.parametrize("kind", ["single-label", ""])
def test_a_head_put_on_by_hand_says_what_it_means(kind: str) -> None:
    """Nothing is guessed, wherever it is asked."""
    model = tagger()
    plan = model.checkpoint.plan
    assert plan is not None
    model.put_head(replace(plan, kind=kind))
    data = Dataset.from_columns({"tokens": [["w1"]], "tags": [["bad"]]})
    for ask in (lambda: evaluate(model, data), lambda: pipeline("token-classification", model)):
        with pytest.raises(ConfigError, match=f"kind = '{kind}'. Allowed: entities, nested-ent"):
            ask()
    model.put_head(replace(plan, kind="tags"))
    assert evaluate(model, data, precision="fp32")["kind"] == "tags"
    assert pipeline("token-classification", model)("w1")["tags"][0]["label"] in model.labels


def test_numbers_are_wanted_by_a_head_for_numbers() -> None:
    model = put_head(tiny_model(), ("score",), "regression")
    with pytest.raises(DataError, match="not a finite number"):
        evaluate(model, rows(n=5), precision="fp32")
    assert evaluate(model, rows("regression", n=5), precision="fp32")["test"]["n"] == 5
