from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import LEARNS, quick
from training.tiny import put_head, rows, tiny_model

from headway import evaluate
from headway.data import Dataset
from headway.tasks.labels.units import training_units


def scaled(data: Dataset, unit: float, zero: float) -> Dataset:
    labels = [unit * label + zero for label in data["label"]]
    return Dataset.from_columns({"text": data["text"], "label": labels})


@pytest.mark.parametrize(("unit", "zero"), [(1, 0), (1000, 250_000), (1e-4, 0), (-3, 7)])
@pytest.mark.parametrize("probe", [False, True])
def test_the_unit_of_the_labels_does_not_matter(
    unit: float, zero: float, probe: bool, tmp_path: Path
) -> None:
    data, test = (scaled(rows("regression", n=n, seed=n), unit, zero) for n in (200, 40))
    result = quick(data=data, test=test, out=tmp_path / "run", **{**LEARNS, "probe": probe})
    scores = result.report["test"]
    assert scores["r2"] > 0.9
    assert scores["mae"] < 0.6 * abs(unit)
    assert evaluate(tmp_path / "run", test)["test"] == scores


def test_equal_labels_are_predicted() -> None:
    data = Dataset.from_columns({"text": [f"w{n}" for n in range(20)], "label": [7.5] * 20})
    result = quick(data=data, **LEARNS)
    assert result.report["test"]["mae"] < 0.5


def test_a_head_without_a_bias_learns_numbers() -> None:
    result = quick(
        tiny_model("gpt2"),
        scaled(rows("regression", n=200), 10, 5),
        head="family",
        **{**LEARNS, "epochs": 15},
    )
    assert result.report["test"]["pearson"] > 0.9


def test_targets_have_mean_0_and_deviation_1_inside_and_the_head_changes_back() -> None:
    model = put_head(tiny_model(), ("score",), "regression")
    head: Any = model.head
    targets = torch.tensor([10.0, 20, 30, 60], dtype=torch.float64)
    x = torch.randn(5, 32)
    with pytest.raises(KeyboardInterrupt), training_units(model, targets, "regression") as inside:
        assert inside.mean().item() == pytest.approx(0, abs=1e-9)
        assert inside.square().mean().item() == pytest.approx(1)
        standard = head.output(x)
        raise KeyboardInterrupt
    deviation = targets.std(correction=0).float()
    torch.testing.assert_close(head.output(x), standard * deviation + 30.0)


def test_other_kinds_stay_as_they_are() -> None:
    model = put_head(tiny_model(), ("a", "b"))
    weight = model.head.output.weight.clone()
    targets = torch.tensor([0, 1, 1])
    with training_units(model, targets, "single-label") as inside:
        assert inside is targets
    assert torch.equal(model.head.output.weight, weight)
