"""Measures as metrics of columns give what `score` gives, for every task that says them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headway.metrics import ROW_SUMS, metric
from headway.tasks import TASKS, Meaning
from headway.tasks.answers.passages import Passage
from headway.tasks.choices import Asked
from headway.tasks.fill_mask import Told
from headway.tasks.measured import Metrics
from headway.tasks.multiple_choice import Choices
from headway.tasks.pairs.vectors import Pair
from headway.tasks.tags.entities import Span
from headway.tasks.tags.paths import Tagged
from headway.tasks.tags.tables import Spanned
from headway.tasks.tags.word_places import Placed
from headway.tasks.text_generation import Surprise

DRAW = np.random.default_rng(0)
LABELS = ("blue", "red")
CHANCES = DRAW.dirichlet([1, 1], size=9)
VECTORS = DRAW.normal(size=(6, 2, 4)).astype(np.float32)
STRETCHES = [[np.log(DRAW.dirichlet([1] * 4, size=2).T)] for _ in range(5)]
PLACES = np.array([[0, 3], [4, 7], [8, 11]])
CONTEXTS = [Passage([[1]], [[0]], 4, context="red sun low", offsets=[PLACES])] * 5
GOLD = [{"text": [text], "answer_start": [0]} for text in ("red", "sun", "sun low", "low", "sun")]

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
    "entities": (
        "token-classification",
        Meaning("entities", ("O", "B-PER", "I-PER")),
        [Tagged(tags, [0.5] * 3) for tags in (["B-PER", "I-PER", "O"], ["O", "B-PER", "O"])] * 2,
        [Placed([], [], 0, text="Ann Lee ran", words=[(0, 3), (4, 7), (8, 11)])] * 4,
        [["B-PER", "I-PER", "O"], ["B-PER", "O", "O"]] * 2,
    ),
    "nested entities": (
        "token-classification",
        Meaning("nested-entities", ("LOC", "ORG")),
        [Spanned([(Span(0, 11, "ORG"), 0.9), (Span(8, 11, "LOC"), 0.5)]), Spanned([])] * 2,
        [Placed([], [], 0, text="Bank of Bonn")] * 4,
        [[{"start": 0, "end": 11, "label": "ORG"}, {"start": 8, "end": 12, "label": "LOC"}]] * 4,
    ),
    "tags": (
        "token-classification",
        Meaning("tags", ("N", "V", "X")),
        [Tagged(tags, [0.5] * len(tags)) for tags in (["N", "V"], ["N"], ["V", "V", "N"])],
        [Placed([], [], 0, words=[(0, 1)] * count) for count in (2, 1, 3)],
        [["N", "N"], ["N"], ["V", "V", "V"]],
    ),
    "hidden words": (
        "fill-mask",
        Meaning("masked-words"),
        [Told([7, 8], [7, 9], 3.0), Told([5], [5], 0.5), Told([], [], 0.0)],
        [],
        [None] * 3,
    ),
    "answers": ("question-answering", Meaning("answer-spans"), STRETCHES, CONTEXTS, GOLD),
    "answers or none": (
        "question-answering",
        Meaning("answer-spans-or-none"),
        STRETCHES,
        CONTEXTS,
        [*GOLD[:4], {"text": [], "answer_start": []}],
    ),
    "similarity": (
        "sentence-similarity",
        Meaning("similarity"),
        list(VECTORS),
        [],
        [0.1 * n for n in range(6)],
    ),
    "pairs": (
        "sentence-similarity",
        Meaning("pairs"),
        list(VECTORS),
        [Pair([], [], 0, texts=(f"a{n // 2}", f"b{n}")) for n in range(6)],
        [None] * 6,
    ),
}
"""Of each kind: the task, what its outputs mean, what a model says, the texts and the answers."""


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
        assert one.value() == pytest.approx(scores[key])
        some = key.startswith(("in_scope", "oos", "answerable", "left"))  # of some rows alone
        assert some or len(one.predictions) == len(found), "a row is a text"
        assert 0 < len(one.predictions) <= len(found)
        if ROW_SUMS.get(one.metric) and len(found) > 2:
            low, high = one.interval()
            assert low <= scores[key] <= high


def test_tasks_that_say_them_have_a_case() -> None:
    """Dialogues, of which a row has several, have theirs in test_dialogue.py."""
    said = {name for name, task in TASKS.items() if isinstance(task, Metrics)}
    tried = {(name, meaning.kind) for name, meaning, *_ in CASES.values()}
    assert said - {name for name, _ in tried} == {"dialogue"}
    for name in said - {"dialogue"}:
        assert {kind for task, kind in tried if task == name} == set(TASKS[name].kinds)


def test_what_they_are_of_some_texts() -> None:
    """By hand."""
    wanted = {
        "entities": {"f1": 0.5, "precision": 0.5, "recall": 0.5},
        "nested entities": {"f1": 1 / 3, "precision": 0.5, "recall": 0.25},
        "tags": {"accuracy": 4 / 6, "macro_f1": (2 * 2 / (3 + 3) + 2 * 2 / (3 + 3)) / 3},
        "hidden words": {"accuracy": 2 / 3, "perplexity": np.exp(3.5 / 3)},
    }
    for case, values in wanted.items():
        name, *rest = CASES[case]
        meaning, found, texts, answers = rest
        task = TASKS[name]
        assert isinstance(task, Metrics)
        made = task.metrics(found, texts, answers, meaning)
        assert {key: one.value() for key, one in made.items()} == pytest.approx(values), case
