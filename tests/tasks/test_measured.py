"""Measures as metrics of columns give what `score` gives, for every task that says them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headway.metrics import metric
from headway.tasks import TASKS, Meaning
from headway.tasks.choices import Asked
from headway.tasks.measured import Metrics
from headway.tasks.multiple_choice import Choices
from headway.tasks.text_generation import Surprise

DRAW = np.random.default_rng(0)
LABELS = ("blue", "red")
CHANCES = DRAW.dirichlet([1, 1], size=9)

CASES: dict[str, tuple[str, Meaning, list[Any], list[Any], list[Any]]] = {
    "one label": (
        "text-classification",
        Meaning("single-label", LABELS),
        list(CHANCES),
        [],
        ["red", "blue", "red"] * 3,
    ),
    "several labels": (
        "text-classification",
        Meaning("multi-label", LABELS),
        list(CHANCES),
        [],
        [["red"], [], ["blue", "red"]] * 3,
    ),
    "numbers": (
        "text-classification",
        Meaning("regression", ("score",)),
        list(CHANCES[:, :1]),
        [],
        [0.1 * n for n in range(9)],
    ),
    "choices": (
        "multiple-choice",
        Meaning("choice"),
        list(CHANCES),
        [Choices([[1]], [[0]], 1, choices=Asked("a", ("b", "c")).choices)] * 9,
        [0, 1, 1] * 3,
    ),
    "summaries": ("summarization", Meaning("summaries"), ["a b", "c d"], [], ["a", "d e c"]),
    "translations": ("translation", Meaning("translations"), ["a b", "c d"], [], ["a b", "d"]),
    "texts": ("text2text-generation", Meaning("texts"), ["a b", "d"], [], ["a b", "d e c"]),
    "language": (
        "text-generation",
        Meaning("language"),
        [Surprise(3.0, 2, 5), Surprise(9.0, 4, 7)],
        [],
        [None, None],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_they_are_the_measures(case: str) -> None:
    name, meaning, found, texts, answers = CASES[case]
    task = TASKS[name]
    assert isinstance(task, Metrics)
    scores = task.score(found, texts, answers, meaning)
    made = task.metrics(found, texts, answers, meaning)
    assert task.main(meaning.kind) in made
    for key, one in made.items():
        whole = metric(one.metric, one.predictions, one.references, **one.options)
        assert whole[one.metric] / one.scale == pytest.approx(scores[key]), key
