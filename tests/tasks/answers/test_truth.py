"""Answers of a row, whatever form a column has them in, and where they stand."""

from __future__ import annotations

from typing import Any

import pytest

from headway.tasks.answers.truth import answer_texts, given_answers, located, wrong_answers


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ("", []),
        ("  ", []),
        ([], []),
        ({"text": [], "answer_start": []}, []),
        ({"text": None, "answer_start": None}, []),
        ({"text": "", "answer_start": -1}, []),
        ("a cat", [("a cat", None)]),
        (["a cat", "cat"], [("a cat", None), ("cat", None)]),
        ({"text": ["a cat", "cat"], "answer_start": [3, 5]}, [("a cat", 3), ("cat", 5)]),
        ({"text": "a cat", "answer_start": 3.0}, [("a cat", 3)]),
        ({"text": ["a"], "answer_start": None}, [("a", None)]),
        ({"text": ["a"], "answer_start": [float("nan")]}, [("a", None)]),
        ({"text": [" a "], "answer_start": [3]}, [("a", 4)]),
        (
            [{"text": "a", "answer_start": 3}, {"text": "b", "answer_start": 9}],
            [("a", 3), ("b", 9)],
        ),
    ],
)
def test_every_form_is_read(value: Any, found: list[tuple[str, int | None]]) -> None:
    assert wrong_answers(value) == ""
    assert given_answers(value) == found
    assert answer_texts(value) == [text for text, _ in found]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "3 is no answer"),
        ({"texts": ["a"]}, "has no 'text'"),
        ({"text": ["a", "b"], "answer_start": [1]}, "2 texts of answers and 1 starts"),
        ({"text": [3], "answer_start": [1]}, "is no answer"),
        ({"text": ["a"], "answer_start": ["x"]}, "is no answer"),
        ({"text": ["a"], "answer_start": [1.5]}, "is no answer"),
        ({"text": ["a"], "answer_start": [-2]}, "is no answer"),
        ({"text": ["a"], "answer_start": [True]}, "is no answer"),
        ([1, 2], "is no answer"),
    ],
)
def test_what_is_no_answer_is_said(value: Any, said: str) -> None:
    assert said in wrong_answers(value)


def test_an_answer_is_where_it_is_said_to_be_or_in_the_one_place_where_it_stands() -> None:
    context = "a cat and a dog and a cat"
    assert located(context, "cat", 2) == 2
    assert located(context, "cat", 22) == 22
    assert located(context, "cat", 3) is None  # it stands there twice
    assert located(context, "dog", 3) == 12
    assert located(context, "dog", None) == 12
    assert located(context, "dog", 10**9) == 12
    assert located(context, "bird", 3) is None
    assert located("aaa", "aa", None) is None  # twice, one over the other
