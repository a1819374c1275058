from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adaptation.quick import quick
from training.tiny import WORDS, rows

from headway import Dataset, compare, evaluate, load, pipeline
from headway.adaptation import Result
from headway.checkpoints import SCORES, Scope
from headway.errors import CheckpointError, ConfigError, DataError
from headway.heads.losses import single_label
from headway.tasks import meaning_of
from headway.tasks.labels.out_of_scope import (
    FALSE_ALARMS,
    calibrated,
    find_scope,
    kind_with,
    scored,
)
from headway.training.accumulate import mean_loss

NAMES = ("a", "b", "c")


def intents(n: int, *, seed: int = 0, outside: float = 0.3, label: str = "oos") -> Dataset:
    """The label is the sign red or green; texts with `blue` are outside."""
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        sign = "blue" if draw.random() < outside else draw.choice(["red", "green"])
        words = draw.choices(WORDS, k=draw.randint(2, 6))
        words.insert(draw.randint(0, len(words)), sign)
        made.append({"text": " ".join(words), "label": label if sign == "blue" else sign})
    return Dataset.from_rows(made, name="intents")


def learned(out: Path | None = None, **settings: Any) -> Result:
    splits = {"train": intents(150), "validation": intents(60, seed=1), "test": intents(80, seed=2)}
    usual = {"epochs": 12, "lr": 5e-3, "probe": False, "data": splits, "out": out}
    return quick(**{**usual, **settings})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("scope") / "run"
    return out, learned(out, baseline=True)


def test_texts_of_no_label_are_learned_and_measured(run: tuple[Path, Result]) -> None:
    out, result = run
    test = result.report["test"]
    assert test["oos_auroc"] > 0.95 and test["oos_recall"] > 0.9 and test["oos_precision"] > 0.8
    assert test["in_scope_accuracy"] > 0.9 and test["accuracy"] > 0.9
    assert result.report["label_names"] == ["green", "red", "oos"]
    assert len(test["confusion"]) == 3 and set(test["per_label"]) == {"green", "red", "oos"}
    assert result.report["baseline"]["in_scope_accuracy"] > 0.5
    assert any(note.startswith("texts whose") for note in result.report["notes"])
    assert "oos is the answer to texts of no other label" in result.report["notes"]
    page = (out / "report.html").read_text()
    assert "Accuracy in scope" in page and "Out of scope: recall" in page


def test_the_rule_is_saved_and_answers(run: tuple[Path, Result]) -> None:
    out, result = run
    section = json.loads((out / "config.json").read_text())["headway"]["out_of_scope"]
    assert section["label"] == "oos" and section["score"] in SCORES
    assert section["threshold"] == result.report["test"]["threshold"]
    assert evaluate(out, intents(80, seed=2))["test"] == result.report["test"]
    ask = pipeline(out)
    assert ask.labels == ("green", "red")
    answers = ask(["w1 red w2", "w3 blue w4", "green w2 w3"])
    assert [one["label"] for one in answers] == ["red", "oos", "green"]
    assert all(0 <= one["score"] <= 1 for one in answers)
    assert set(ask("w3 blue w4", top=5)["label"]) == {"green", "red"}
    again = load(out)
    again.save(out.parent / "copy")
    assert meaning_of(load(out.parent / "copy")).scope == meaning_of(again).scope
    copied = pipeline(out.parent / "copy")("w3 blue w4")
    assert copied["label"] == "oos" and copied["score"] == pytest.approx(answers[1]["score"])


def test_two_runs_are_compared_inside_and_outside(run: tuple[Path, Result], tmp_path: Path) -> None:
    out, _ = run
    learned(tmp_path / "poor", epochs=1, lr=1e-5)
    data = intents(90, seed=7)
    told = {one["key"]: one for one in compare(out, tmp_path / "poor", data)["measures"]}
    (good, poor) = (pipeline(name)(data["text"]) for name in (out, tmp_path / "poor"))
    outside = [n for n, label in enumerate(data["label"]) if label == "oos"]
    for said, which in ((good, "first"), (poor, "second")):
        found = sum(said[n]["label"] == "oos" for n in outside)
        assert told["oos_recall"][which] == pytest.approx(found / len(outside))
        called = sum(one["label"] == "oos" for one in said)
        assert told["oos_precision"][which] == pytest.approx(found / max(1, called))
    for key in ("in_scope_accuracy", "oos_recall", "oos_precision"):
        for value, (low, high) in zip(
            (told[key]["first"], told[key]["second"]), told[key]["intervals"], strict=True
        ):
            assert low <= value <= high
    assert told["in_scope_accuracy"]["p_value"] < 0.01
    assert told["oos_auroc"]["p_value"] is None  # no mean over rows


@pytest.mark.parametrize("head", ["family", "mlp"])
def test_any_head_has_the_rule(head: str, tmp_path: Path) -> None:
    result = learned(tmp_path / "run", head=head, epochs=6)
    assert evaluate(tmp_path / "run", intents(80, seed=2))["test"] == result.report["test"]


def test_none_of_them_in_training(tmp_path: Path) -> None:
    """The label is known from other splits, or from its name alone."""
    splits = {"train": intents(80, outside=0), "validation": intents(60, seed=1),
              "test": intents(60, seed=2)}  # fmt: skip
    report = learned(data=splits, epochs=3).report
    assert report["label_names"] == ["green", "red", "oos"] and "oos_auroc" in report["test"]
    inside = {name: intents(60, seed=n, outside=0) for n, name in enumerate(splits)}
    result = learned(tmp_path / "run", data=inside, epochs=12, out_of_scope="none of these")
    test = result.report["test"]
    assert "oos_recall" not in test and test["in_scope_accuracy"] == test["accuracy"] > 0.8
    assert any("no validation row is none of these" in note for note in result.report["notes"])
    (rule,) = [meaning_of(load(tmp_path / "run")).scope]
    assert rule is not None and rule.label == "none of these" and rule.score == "probability"


def test_asked_not_to_it_is_a_class_like_the_others() -> None:
    report = learned(epochs=1, out_of_scope="").report
    assert report["label_names"] == ["green", "oos", "red"] and "threshold" not in report["test"]


def test_few_rows_start_from_a_probe_of_those_inside() -> None:
    report = learned(probe=True, epochs=1, lr=1e-6).report
    assert report["settings"]["probe"] and report["test"]["in_scope_accuracy"] > 0.4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"data": rows("multi-label"), "out_of_scope": "none"}, "rows with one label each"),
        ({"data": intents(40), "validation": 0.0}, "no validation rows.*--out-of-scope"),
        ({"data": intents(60).filter(lambda row: row["label"] != "red")}, "one class only"),
    ],
)
def test_rows_that_cannot_be(settings: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        quick(**settings)


def test_labels_that_nobody_knows_are_still_said(run: tuple[Path, Result]) -> None:
    with pytest.raises(DataError, match="'blue'"):
        evaluate(run[0], Dataset.from_rows([{"text": "w1", "label": "blue"}]))


def test_the_label_is_known_by_its_usual_names() -> None:
    assert find_scope(None, ["a", "out-of-scope"]) == Scope("out-of-scope")
    assert find_scope("x", ["a", "oos"]) == Scope("x")
    assert find_scope(None, [1, 2.0, "b"]) is None


def test_scores_of_logits() -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    chances = logits.double().softmax(-1).numpy()
    for score in SCORES:
        table = scored(logits, score)
        assert np.allclose(table[:, :-1], chances)
        wanted = chances.max(1) if score == "probability" else logits.exp().sum(1).log().numpy()
        assert np.allclose(table[:, -1], wanted, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.choice([*NAMES, "oos"], 60).tolist()
    table = draw.dirichlet(np.ones(3), 60)
    table[:30] = [[0.5, 0.3, 0.2]] * 10 + [[0.1, 0.1, 0.8]] * 10 + [[0.2, 0.5, 0.3]] * 10
    found = {score: np.concatenate([table, table.max(1)[:, None]], axis=1) for score in SCORES}
    scope, _ = calibrated(Scope("oos"), found, truth, NAMES)

    def worth(threshold: float) -> float:
        kind = kind_with(Scope("oos", threshold))
        measures = kind.score(found["probability"], truth, NAMES)
        return float(measures["in_scope_accuracy"] + measures["oos_recall"])

    assert scope.threshold is not None
    best = max(worth(t) for t in [*found["probability"][:, -1], *np.linspace(0, 1.1, 200)])
    assert worth(scope.threshold) == pytest.approx(best)


def test_the_better_score_is_chosen() -> None:
    truth = ["a"] * 5 + ["oos"] * 5
    table = np.tile([0.6, 0.3, 0.1], (10, 1))
    good, bad = np.array([2.0] * 5 + [1.0] * 5), np.full(10, 0.6)
    found = {"probability": np.c_[table, bad], "energy": np.c_[table, good]}
    scope, said = calibrated(Scope("oos"), found, truth, NAMES)
    assert scope.score == "energy" and scope.threshold == pytest.approx(1.5)
    assert "energy" in said and "5 validation rows outside" in said


def test_without_rows_outside_few_inside_are_missed() -> None:
    draw = np.random.default_rng(0)
    table = draw.dirichlet(np.ones(3), 1000)
    found = {score: np.concatenate([table, table.max(1)[:, None]], axis=1) for score in SCORES}
    scope, said = calibrated(Scope("oos"), found, ["a"] * 1000, NAMES)
    assert scope.threshold is not None and "5%" in said
    assert (table.max(1) < scope.threshold).mean() == pytest.approx(FALSE_ALARMS, abs=2e-3)


def test_the_loss_is_the_usual_one_and_half_of_being_unsure() -> None:
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([2, -1, 0, -1])
    unsure = -logits[[1, 3]].log_softmax(-1).mean()
    wanted = single_label(logits[[0, 2]], targets[[0, 2]]).mean() + 0.5 * unsure
    kind = kind_with(Scope("oos"))
    loss = mean_loss(kind.loss(logits, targets, None), kind.counts(targets, None))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_rows_of_one_sort_alone_have_one_term_of_the_loss() -> None:
    logits = torch.randn(2, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    kind, weights = kind_with(Scope("oos")), torch.tensor([1.0, 2.0, 4.0])
    for targets, counts in (([2, 0], (5.0, 0.0)), ([-1, -1], (0.0, 2.0))):
        right = torch.tensor(targets)
        sums = kind.loss(logits, right, weights)
        assert kind.counts(right, weights) == counts
        assert [bool(total > 0) for total in sums] == [count > 0 for count in counts]
        mean_loss(sums, counts).backward()
    assert logits.grad is not None and logits.grad.isfinite().all()


@pytest.mark.parametrize(
    "section",
    [
        "oos",
        {"label": "oos", "threshold": "high", "score": "energy"},
        {"label": "oos", "threshold": True, "score": "energy"},
        {"label": "red", "threshold": 0.5, "score": "energy"},
        {"label": "oos", "threshold": 0.5, "score": "odds"},
        {"label": "oos", "threshold": float("nan"), "score": "energy"},
    ],
)
def test_a_rule_in_a_file_that_cannot_be(
    section: Any, run: tuple[Path, Result], tmp_path: Path
) -> None:
    load(run[0]).save(tmp_path / "model")
    place = tmp_path / "model" / "config.json"
    values = json.loads(place.read_text())
    values["headway"]["out_of_scope"] = section
    place.write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match=r"headway\.out_of_scope"):
        load(tmp_path / "model")
