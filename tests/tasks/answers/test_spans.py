"""From starts and ends to answers: exact, none over another, in order."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.tasks.answers.passages import Passage
from headway.tasks.answers.spans import best_spans, spans_in, without_answer

Floats = npt.NDArray[np.float64]


def drawn(tokens: int, seed: int) -> Floats:
    """Log-probabilities of so many tokens and the null place."""
    scores = np.random.default_rng(seed).normal(size=(1 + tokens, 2))
    return scores - np.log(np.exp(scores).sum(axis=0))


def words(count: int, *, cut: tuple[int, int] | None = None) -> Passage:
    """A context of words of two letters, read in one window, or in two that `cut` says."""
    places = np.array([(3 * n, 3 * n + 2) for n in range(count)], dtype=np.int32).reshape(-1, 2)
    parts = [places] if cut is None else [places[: cut[0]], places[cut[1] :]]
    context = " ".join(f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(count))
    return Passage([], [], count, context=context, firsts=[0] * len(parts), offsets=parts)


@given(st.integers(0, 12), st.integers(1, 5), st.integers(0, 99))
def test_the_best_stretches_are_those_of_trying_all(tokens: int, most: int, seed: int) -> None:
    scores = drawn(tokens, seed)
    every = {
        (first, last): scores[1 + first, 0] + scores[1 + last, 1]
        for first in range(tokens)
        for last in range(first, min(tokens, first + most))
    }
    expected = []
    while every:
        best = max(every, key=every.__getitem__)
        expected.append((*best, every[best]))
        every = {
            span: score for span, score in every.items() if span[1] < best[0] or span[0] > best[1]
        }
    got = list(best_spans(scores, most))
    assert [span[:2] for span in got] == [span[:2] for span in expected]
    assert [span[2] for span in got] == pytest.approx([span[2] for span in expected])


@given(st.integers(0, 99), st.integers(1, 6))
def test_answers_of_several_windows_never_touch_each_other(seed: int, top: int) -> None:
    passage = words(20, cut=(12, 8))
    found = [drawn(12, seed), drawn(12, seed + 100)]
    spans = spans_in(passage, found, top=top, most_tokens=4)
    assert 1 <= len(spans) <= top
    assert [span.score for span in spans] == sorted((s.score for s in spans), reverse=True)
    for one, other in itertools.combinations(spans, 2):
        assert one.end <= other.start or other.end <= one.start
    every = [
        scores[1 + first, 0] + scores[1 + last, 1]
        for scores in found
        for first in range(12)
        for last in range(first, min(12, first + 4))
    ]
    assert spans[0].score == pytest.approx(max(every))


def test_the_same_answer_in_two_windows_counts_once_with_its_better_score() -> None:
    passage = words(6, cut=(4, 2))
    weak, strong = (np.log(np.full((5, 2), 0.1)) for _ in range(2))
    weak[1 + 3] = math.log(0.5)  # token 3 of all
    strong[1 + 1] = math.log(0.6)  # the same one
    spans = spans_in(passage, [weak, strong], top=9, most_tokens=1)
    assert [(span.start, span.end) for span in spans].count((9, 11)) == 1
    assert spans[0].score == pytest.approx(2 * math.log(0.6))
    assert without_answer([weak, strong]) == pytest.approx(2 * math.log(0.1))


def test_no_answer_begins_or_ends_with_white_space_or_is_nothing_else() -> None:
    context = " ab \n cd"
    places = np.array([(0, 3), (3, 6), (5, 5), (6, 8)], dtype=np.int32)
    passage = Passage([], [], 4, context=context, firsts=[0], offsets=[places])
    scores = np.log(np.array([[0.01, 0.01], [0.2, 0.2], [0.5, 0.5], [0.2, 0.2], [0.09, 0.09]]))
    spans = spans_in(passage, [scores], top=4, most_tokens=1)
    assert [context[span.start : span.end] for span in spans] == ["ab", "cd"]


def test_a_context_without_tokens_has_no_stretch() -> None:
    assert spans_in(words(0), [np.zeros((1, 2))]) == []
