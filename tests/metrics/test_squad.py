"""SQuAD's measures: equal to a readable twin of the two evaluation scripts, text by text."""

from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import read
from headway.errors import ConfigError
from headway.metrics import (
    squad_exact_match,
    squad_f1,
    squad_v2_best_thresholds,
    squad_v2_exact_match,
    squad_v2_f1,
)
from headway.metrics.squad import SEPARATORS, normalize_answers

from .contracts import columns_for


def normalized(text: str) -> str:
    """The scripts' four steps, one text at a time."""
    text = "".join(each for each in text.lower() if each not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1_of_words(said: str, there: str, *, version: int) -> float:
    a, b = normalized(said).split(), normalized(there).split()
    if version == 2 and (not a or not b):
        return float(a == b)
    shared = sum((Counter(a) & Counter(b)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(a), shared / len(b)
    return 2 * precision * recall / (precision + recall)


def script(predictions, references, *, version, no_answer=None, threshold=1.0):
    """(exact match, F1), question by question as the scripts go."""
    exact, f1 = [], []
    for row, (said, answers) in enumerate(zip(predictions, references, strict=True)):
        golds = answers
        if version == 2:
            golds = [answer for answer in answers if normalized(answer)] or [""]
        one_exact = max(float(normalized(said) == normalized(gold)) for gold in golds)
        one_f1 = max(f1_of_words(said, gold, version=version) for gold in golds)
        if no_answer is not None and no_answer[row] > threshold:
            one_exact = one_f1 = float(not answers)
        exact.append(one_exact)
        f1.append(one_f1)
    return [100 * sum(exact) / len(exact), 100 * sum(f1) / len(f1)]


def both(predictions, references):
    return [squad_exact_match(predictions, references), squad_f1(predictions, references)]


def both_v2(predictions, references, **options):
    return [
        squad_v2_exact_match(predictions, references, **options),
        squad_v2_f1(predictions, references, **options),
    ]


def test_published_examples():
    # SQuAD 2.0's own paper: an abstention is right exactly where there is no answer.
    assert both_v2(["", ""], [[], ["Normans"]]) == [50.0, 50.0]
    assert both(["Saint Bernadette"], [["Saint Bernadette Soubirous"]]) == [0.0, 80.0]
    assert both(["the Denver Broncos!"], [["Denver  Broncos", "Broncos"]]) == [100.0, 100.0]


def test_equal_to_the_scripts_on_random_answers():
    for seed in range(30):
        predictions, references = columns_for("squad", seed=seed, n=25)
        expected = script(predictions, references, version=1)
        assert both(predictions, references) == pytest.approx(expected, abs=1e-9)
        references = [answers if row % 4 else [] for row, answers in enumerate(references)]
        no_answer = np.random.default_rng(seed).random(25)
        for options in ({}, {"no_answer": no_answer, "threshold": 0.6}):
            expected = script(predictions, references, version=2, **options)
            assert both_v2(predictions, references, **options) == pytest.approx(expected, abs=1e-9)


hostile = st.text(alphabet="aAn tThHeE.'-_\0\x01\x1c\u00a0ΣσΑİ\ud800\u200b日é\n", max_size=12)


@given(st.lists(st.tuples(hostile, st.lists(hostile, min_size=1, max_size=3)), min_size=1))
def test_equal_to_the_scripts_on_hostile_texts(rows):
    predictions, references = [list(column) for column in zip(*rows, strict=True)]
    assert normalize_answers(predictions) == [normalized(text) for text in predictions]
    expected = script(predictions, references, version=1)
    assert both(predictions, references) == pytest.approx(expected, abs=1e-9)
    expected = script(predictions, references, version=2)
    assert both_v2(predictions, references) == pytest.approx(expected, abs=1e-9)


def test_texts_that_hold_every_separator():
    texts = ["".join(SEPARATORS) + " The Σ", "a ΣΑΣ"]
    assert normalize_answers(texts) == [normalized(text) for text in texts]


def test_the_best_thresholds_are_the_scripts():
    for seed in range(20):
        predictions, references = columns_for("squad", seed=seed, n=15)
        references = [answers if row % 3 else [] for row, answers in enumerate(references)]
        no_answer = np.random.default_rng(seed).integers(0, 8, 15) / 8  # some alike
        found = squad_v2_best_thresholds(predictions, references, no_answer)
        rows = list(zip(predictions, references, strict=True))
        alone = np.array([script([p], [r], version=2) for p, r in rows]) / 100
        for column, name in enumerate(("exact_match", "f1")):
            # The script's walk: from answering nothing, question by question.
            total = best = sum(not answers for answers in references)
            threshold = 0.0
            for row in sorted(range(15), key=lambda row: no_answer[row]):
                said, answers = rows[row]
                total += alone[row, column] if answers else (-1 if said else 0)
                if total > best:
                    best, threshold = total, no_answer[row]
            assert found[name] == pytest.approx(100 * best / 15, abs=1e-9)
            assert found[f"{name}_threshold"] == threshold
    assert squad_v2_best_thresholds([], [], []) == dict.fromkeys(found, 0.0)
    with pytest.raises(ConfigError, match="1 values of no_answer for 2 rows"):
        squad_v2_best_thresholds(["a", "b"], ["a", "b"], [0.5])


def test_the_two_scripts_differ_where_nothing_is_left():
    assert both(["the"], [["a"]]) == [100.0, 0.0]
    assert both_v2(["the"], [["a"]]) == [100.0, 100.0]
    assert both_v2(["the"], [["a", "sun"]]) == [0.0, 0.0]


def test_equal_on_questions_in_six_languages(shared):
    data = read(shared / "xquad" / "xquad.*.json")
    answers = data.column("answers").to_pylist()
    references = [each["text"] for each in answers]
    random = np.random.default_rng(0)
    predictions = [
        text[0] if random.random() < 0.5 else " ".join(text[0].split()[:2]) for text in references
    ]
    expected = script(predictions, references, version=1)
    assert 50 < expected[0] < 95
    assert both(predictions, references) == pytest.approx(expected, abs=1e-9)
    assert both(predictions, answers) == both(predictions, references)


def test_one_text_a_row_and_arrays_of_texts():
    assert both(np.array(["sun"]), np.array(["the sun"])) == [100.0, 100.0]
    assert both([], []) == both_v2([], []) == [0.0, 0.0]
    assert both_v2(["", "x"], [[], []]) == [50.0, 50.0]


@pytest.mark.parametrize(
    ("function", "predictions", "references", "options", "said"),
    [
        (squad_f1, ["a"], [[]], {}, "row 0 has 0 references"),
        (squad_f1, ["a"], [None], {}, "row 0 of the references is None"),
        (squad_f1, ["a"], [["b", 3]], {}, "row 0 of the references"),
        (squad_f1, ["a"], [{"answer": "b"}], {}, "row 0 of the references"),
        (squad_exact_match, [None], ["a"], {}, "row 0 of the predictions is None"),
        (squad_exact_match, ["a", "b"], ["a"], {}, "2 predictions for 1 references"),
        (squad_v2_f1, ["a"], [[]], {"no_answer": [float("nan")]}, "row 0 of the no_answer is nan"),
        (squad_v2_f1, ["a"], [[]], {"no_answer": [0.1, 0.2]}, "2 values of no_answer for 1 rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(function, predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        function(predictions, references, **options)
