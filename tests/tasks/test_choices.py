"""Columns of rows with choices, under the names that public data sets have for them."""

from __future__ import annotations

from typing import Any

import pytest

from headway.data import Dataset
from headway.errors import DataError
from headway.tasks.choices import Asked, asked_of, choice_columns, each_asked

SWAG = {"sent1": "s", "sent2": "He", "ending0": "a", "ending1": "b", "ending2": "c", "ending3": "d"}
COPA = {"premise": "p", "question": "cause", "choice1": "a", "choice2": "b"}
RACE = {"article": "p", "question": "q?", "options": ["a", "b", "c"]}
ARC = {"question": "q?", "choices": {"text": ["a", "b", "c"], "label": ["1", "2", "3"]}}
SOCIAL = {"context": "p", "question": "q?", "answerA": "a", "answerB": "b", "answerC": "c"}
PIQA = {"goal": "g", "sol1": "a", "sol2": "b"}
HELLASWAG = {"ctx": "p", "endings": ["a", "b"]}


@pytest.mark.parametrize(
    ("row", "name", "label", "asked", "right"),
    [
        (SWAG, "label", 3, Asked("s", ("a", "b", "c", "d"), "He"), 3),
        (COPA, "label", 1, Asked("p", ("a", "b"), "cause"), 1),
        (RACE, "answer", "C", Asked("p", ("a", "b", "c"), "q?"), 2),
        (RACE, "answer", "b", Asked("p", ("a", "b", "c"), "q?"), 1),
        (ARC, "answerKey", "1", Asked("q?", ("a", "b", "c")), 0),
        (ARC, "answerKey", "3", Asked("q?", ("a", "b", "c")), 2),
        (SOCIAL, "label", "B", Asked("p", ("a", "b", "c"), "q?"), 1),
        (PIQA, "label", 0, Asked("g", ("a", "b")), 0),
        (HELLASWAG, "label", "1", Asked("p", ("a", "b")), 1),
        (HELLASWAG, "label", 1.0, Asked("p", ("a", "b")), 1),
    ],
)
def test_rows_of_public_data_sets(
    row: dict[str, Any], name: str, label: Any, asked: Asked, right: int
) -> None:
    data = Dataset.from_rows([{**row, name: label}])
    columns = choice_columns(data)
    assert asked_of(data, columns)[0] == asked
    assert columns.label == name and columns.group == columns.text
    assert columns.answers(data) == [right]
    assert next(iter(each_asked(data))) == asked
    assert columns.texts == [
        one for one in (columns.text, columns.pair, *columns.choices) if one is not None
    ]


def test_numbered_columns_are_in_their_order_whatever_that_of_the_file() -> None:
    data = Dataset.from_rows([{"text": "t", "option10": "c", "option2": "b", "option1": "a"}])
    columns = choice_columns(data, labelled=False)
    assert columns.choices == ("option1", "option2", "option10")
    assert columns.said == "context column 'text', choices 'option1', 'option2', 'option10'"


def test_labels_that_count_from_one() -> None:
    rows = [{"sentence": "s", "option1": "a", "option2": "b", "answer": n} for n in ("1", "2")]
    data = Dataset.from_rows(rows)
    columns = choice_columns(data)
    assert columns.answers(data) == [0, 1]
    assert columns.said.endswith("label column 'answer', which counts from 1")
    assert columns.answers(data[0:1]) == [0]
    # With a 0 among them, or none as large as there are choices, they count from 0.
    assert choice_columns(data[0:1]).answers(data[0:1]) == [1]
    zero = Dataset.from_rows([*rows, {**rows[0], "answer": "0"}])
    assert choice_columns(zero).answers(zero) == [1, "2", 0]


def test_a_text_is_a_choice_before_it_is_a_number_or_a_letter() -> None:
    rows = [
        {"question": "q", "choices": ["3", "2", "1"], "label": "2"},
        {"question": "q", "choices": ["C", "A"], "label": "C"},
    ]
    data = Dataset.from_rows(rows)
    assert choice_columns(data).answers(data) == [1, 0]


@pytest.mark.parametrize("label", [None, "x", "9", 7, -1, 0.5, "D", True])
def test_a_label_that_is_no_choice(label: Any) -> None:
    data = Dataset.from_rows(
        [{"question": "q", "choices": ["yes", "no"], "label": label}], name="rows"
    )
    (found,) = choice_columns(data).answers(data)
    expected = 1 if label is True else None if label is None else str(label)
    assert found == expected


def test_choices_may_be_fewer_in_some_rows() -> None:
    data = Dataset.from_columns(
        {"text": [*"stuv"], "choice1": ["a", "a", None, "a"], "choice2": ["b", None, "b", ""]}
    )
    found = [one.choices for one in each_asked(data)]
    assert found == [("a", "b"), ("a",), ("", "b"), ("a",)]
    lists = Dataset.from_columns({"text": ["s", "t"], "choices": [["a", ""], ["a", None]]})
    assert [one.choices for one in each_asked(lists)] == [("a", ""), ("a",)]


def test_the_pair_names_choices_or_what_they_go_on_from() -> None:
    data = Dataset.from_rows(
        [{"a": "t", "b": "u", "c": ["x"], "d": ["y"], "options": ["z"], "e": 0}]
    )
    columns = choice_columns(data, text="a", pair="d", label="e")
    assert asked_of(data, columns) == [Asked("t", ("y",))]
    columns = choice_columns(data, text="a", pair="b", label="e")
    assert asked_of(data, columns) == [Asked("t", ("z",), "u")]
    assert columns.said == (
        "context column 'a', then column 'b', choices 'options', label column 'e'"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "t", "choice1": "a", "label": 0}, r"rows has no choices.*choices or options"),
        ({"a": "t", "choices": ["a"], "label": 0}, r"called like a context.*--text COL"),
        ({"text": "t", "choices": ["a"], "b": 0}, r"called like a label.*--label COL"),
    ],
)
def test_columns_that_are_not_there(row: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        choice_columns(Dataset.from_rows([row], name="rows"))


@pytest.mark.parametrize("choices", [None, [], [None]])
def test_a_row_without_choices_is_named(choices: Any) -> None:
    rows = [{"text": "t", "choices": ["a"]}, {"text": "t", "choices": choices}]
    with pytest.raises(DataError, match=r"columns choices, row 2: the choices are \[\]"):
        list(each_asked(Dataset.from_rows(rows)))


def test_choices_that_are_no_texts_are_named() -> None:
    with pytest.raises(DataError, match=r"row 1: the choices are \[1, 2\]"):
        list(each_asked(Dataset.from_rows([{"text": "t", "choices": [1, 2]}])))
