from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from headway.errors import DataError
from headway.metrics import METRICS
from headway.tasks.labels.kinds import KINDS

NAMES = ("a", "b", "c")


def test_single_label() -> None:
    kind = KINDS["single-label"]
    assert kind.targets(["b", "a", "c"], NAMES).tolist() == [1, 0, 2]
    table = kind.predict(torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]))
    assert table.sum(axis=1) == pytest.approx([1, 1]) and table.dtype == np.float64
    answer = kind.answer(table[0], NAMES)
    assert answer == {"label": "b", "score": pytest.approx(np.e**2 / (np.e**2 + 2))}
    scores = kind.score(table, ["b", "c"], NAMES)
    assert scores["accuracy"] == 0.5 and scores["n"] == 2
    assert scores["confusion"] == [[0, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert scores["per_label"]["b"]["f1"] == 1.0
    (loss,) = kind.loss(torch.zeros(2, 3), torch.tensor([1, 1]), None)
    assert loss.item() == pytest.approx(2 * np.log(3))
    assert kind.counts(torch.tensor([1, 1]), None) == (2.0,)
    assert kind.counts(torch.tensor([1, 2]), torch.tensor([1.0, 0.5, 4.0])) == (4.5,)


def test_multi_label() -> None:
    kind = KINDS["multi-label"]
    assert kind.targets([["c", "a"], [], ["b", "b"]], NAMES).tolist() == [
        [1, 0, 1],
        [0, 0, 0],
        [0, 1, 0],
    ]
    table = kind.predict(torch.tensor([[3.0, -3.0, 0.1], [-1.0, -1.0, -0.1]]))
    assert kind.answer(table[0], NAMES)["label"] == ["a", "c"]
    assert kind.answer(table[1], NAMES) == {"label": [], "score": []}
    scores = kind.score(table, [["a", "c"], ["b"]], NAMES)
    assert (scores["n"], scores["accuracy"]) == (2, 0.5)
    assert scores["micro_f1"] == pytest.approx(0.8)  # two found, one missed, none false


def test_regression() -> None:
    kind = KINDS["regression"]
    names = ("score",)
    assert kind.targets([1, 2.5], names).tolist() == [1.0, 2.5]
    table = kind.predict(torch.tensor([[1.0], [3.0], [5.0]]))
    assert kind.answer(table[1], names) == {"label": "score", "score": 3.0}
    scores = kind.score(table, [2.0, 4.0, 6.0], names)
    assert scores["pearson"] == pytest.approx(1) and scores["spearman"] == pytest.approx(1)
    assert (scores["mae"], scores["mse"]) == (1.0, 1.0)
    assert scores["points"] == [[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]]


def test_large_numbers_keep_their_digits() -> None:
    exact = 123_456_789.0
    assert KINDS["regression"].targets([exact], ("score",)).item() == exact


def test_numbers_are_found_by_their_names() -> None:
    assert KINDS["single-label"].targets(["1", 0, 1.0], ("0", "1")).tolist() == [1, 0, 1]
    assert KINDS["multi-label"].targets([["1"], [0, 1]], ("0", "1")).tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("kind", "column"),
    [("single-label", ["a", "x", "y", "x"]), ("multi-label", [["a", "x"], ["x", "y"]])],
)
def test_unknown_labels_are_all_said_with_their_counts(kind: str, column: list[Any]) -> None:
    with pytest.raises(DataError, match=r"'x' \(2\), 'y' \(1\).*Allowed: a, b, c"):
        KINDS[kind].targets(column, NAMES)
    table = np.full((len(column), 3), 1 / 3)
    with pytest.raises(DataError, match="'x'"):
        KINDS[kind].score(table, column, NAMES)


def test_a_text_is_no_number() -> None:
    with pytest.raises(DataError, match="row 1: 'x' is not a finite number"):
        KINDS["regression"].targets([1.0, "x"], ("score",))
    with pytest.raises(DataError, match="stored as texts, such as '1e5'"):
        KINDS["regression"].targets([1.0, "1e5"], ("score",))


def test_main_measures_are_metrics_with_more_is_better() -> None:
    for kind in KINDS.values():
        assert kind.main in METRICS
        assert kind.main not in ("mse", "mae", "log_loss", "brier")
