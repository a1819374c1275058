from __future__ import annotations

import math
import random

import pytest
from scipy.stats import binomtest

from headway.data.inspection.artefacts import artefacts


def noise(rows: int, labels: list[str], *, seed: int) -> tuple[list[str], list[str]]:
    """(labels, texts) that have nothing to do with each other; words as frequent as Zipf has it."""
    draw = random.Random(seed)
    words = [f"w{n}" for n in range(2000)]
    weights = [1 / (n + 1) for n in range(2000)]
    texts = [" ".join(draw.choices(words, weights, k=12)) for _ in range(rows)]
    return draw.choices(labels, [1 / (n + 1) for n in range(len(labels))], k=rows), texts


@pytest.mark.parametrize("number", [2, 5, 150])
def test_shuffled_labels_give_nothing_away(number: int) -> None:
    """Also rare labels, where a word of a single row looks a hundred times too frequent."""
    told = 0
    for seed in range(5):
        labels, texts = noise(2000, [f"l{n}" for n in range(number)], seed=seed)
        told += sum(map(len, artefacts(labels, [texts]).values()))
    assert told == 0


@pytest.mark.parametrize("number", [2, 5, 50])
def test_a_planted_word_is_found(number: int) -> None:
    labels, texts = noise(2000, [f"l{n}" for n in range(number)], seed=7)
    draw = random.Random(8)
    texts = [
        text + (" Zebra" if draw.random() < (0.5 if label == "l1" else 0.02) else "")
        for label, text in zip(labels, texts, strict=True)
    ]
    found = artefacts(labels, [texts])
    assert [one["word"] for one in found["l1"]] == ["zebra"]
    assert sum(map(len, found.values())) == 1


def test_numbers_are_those_of_the_definition() -> None:
    labels = ["a"] * 60 + ["b"] * 40
    texts = ["x common"] * 30 + ["common"] * 30 + ["x common"] * 2 + ["common"] * 38
    (one,) = artefacts(labels, [texts])["a"]
    assert (one["word"], one["rows_with_label"], one["rows"]) == ("x", 30, 32)
    assert one["pmi"] == pytest.approx(math.log2(30 / 32 / 0.6))
    # Two words, two labels: four pairs.
    low = binomtest(30, 32).proportion_ci(1 - 2 * 0.05 / 4, method="exact").low
    assert one["pmi_low"] == pytest.approx(math.log2(low / 0.6))


def test_words_count_once_a_row_in_any_column_and_any_case() -> None:
    labels = ["a"] * 20 + ["b"] * 20
    first = ["X x x"] * 10 + [""] * 10 + ["y"] * 20
    second = ["nothing"] * 10 + ["x"] * 10 + ["nothing"] * 20
    found = {one["word"]: one["rows"] for one in artefacts(labels, [first, second])["a"]}
    assert found == {"x": 20}


def test_rows_without_a_label_do_not_count() -> None:
    labels = [None] * 100 + ["a"] * 20 + ["b"] * 20
    texts = ["z"] * 100 + ["z"] * 20 + ["y"] * 20
    assert artefacts(labels, [texts])["a"][0]["rows"] == 20


def test_labels_in_order_of_rows_and_at_most_so_many_words() -> None:
    words = [f"w{n}" for n in range(30)]
    texts = [" ".join(words)] * 40 + ["else"] * 30
    found = artefacts(["a"] * 40 + ["b"] * 30, [texts], most=4)
    assert list(found) == ["a", "b"]
    assert len(found["a"]) == 4


def test_no_rows_and_no_words() -> None:
    assert artefacts([], [[]]) == {}
    assert artefacts(["a", "b"], [["", "!"]]) == {"a": [], "b": []}
