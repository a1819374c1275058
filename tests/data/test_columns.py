from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.data import Dataset, guess_columns, read
from headway.errors import DataError

SENTENCES = [f"this is sentence number {n}" for n in range(20)]
OTHERS = [f"another one is number {n}" for n in range(20)]
TOPICS = ["sport", "money"] * 10


def columns(**values: Any) -> Dataset:
    return Dataset.from_columns(values, name="demo")


def found(data: Any, **options: Any) -> tuple[str, str | None, str | None]:
    guess = guess_columns(data, **options)
    return guess.text, guess.pair, guess.label


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["text", "label"], ("text", None, "label")),
        (["Text", "LABEL"], ("Text", None, "LABEL")),
        (["title", "topic"], ("title", None, "topic")),
        (["review", "sentiment"], ("review", None, "sentiment")),
        (["text", "title", "label", "score"], ("text", None, "label")),
        (["sentence", "label"], ("sentence", None, "label")),
        (["sentence1", "sentence2", "label"], ("sentence1", "sentence2", "label")),
        (["hypothesis", "premise", "gold_label"], ("premise", "hypothesis", "gold_label")),
        (["question", "sentence", "label"], ("question", "sentence", "label")),
        (["question1", "question2", "label"], ("question1", "question2", "label")),
        (["question", "label"], ("question", None, "label")),
        (
            ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
            ("#1 String", "#2 String", "Quality"),
        ),
    ],
)
def test_names_that_people_use(names: list[str], expected: tuple[str, str | None, str]) -> None:
    data = columns(**dict.fromkeys(names, TOPICS))
    assert found(data) == expected


def test_values_decide_where_names_do_not() -> None:
    data = columns(id=list(range(20)), x=SENTENCES, y=TOPICS)
    assert found(data) == ("x", None, "y")
    assert found(columns(y=[0, 1] * 10, x=SENTENCES)) == ("x", None, "y")
    assert found(columns(y=[True, False] * 10, x=SENTENCES)) == ("x", None, "y")
    assert found(columns(y=[n / 7 for n in range(20)], x=SENTENCES)) == ("x", None, "y")


def test_short_texts_are_told_from_labels_by_variety() -> None:
    assert found(columns(a=TOPICS, b=[f"word{n}" for n in range(20)])) == ("b", None, "a")


def test_lists_of_tokens_and_tags() -> None:
    data = columns(tokens=[["a", "b"], ["c"]], tags=[["X", "O"], ["O"]], text=["a b", "c"])
    guess = guess_columns(data)
    assert (guess.text, guess.label) == ("tokens", "tags")
    assert guess.said == "text column 'tokens', label column 'tags' (lists, 2 labels)"


def test_questions_with_answers() -> None:
    data = columns(context=SENTENCES, question=OTHERS, answers=[{"text": ["x"]}] * 20)
    assert found(data) == ("question", "context", "answers")


def test_what_is_named_is_taken() -> None:
    data = columns(text=SENTENCES, other=OTHERS, label=TOPICS, topic=TOPICS)
    assert found(data, text="other") == ("other", None, "label")
    assert found(data, label="topic") == ("text", None, "topic")
    assert found(data, pair="other") == ("text", "other", "label")
    pairs = columns(premise=SENTENCES, hypothesis=OTHERS, label=TOPICS)
    assert found(pairs, text="hypothesis") == ("hypothesis", None, "label")
    assert found(pairs, pair="premise") == ("hypothesis", "premise", "label")
    assert found(pairs, label="hypothesis")[2] == "hypothesis"


def test_without_a_label() -> None:
    assert found(columns(text=SENTENCES), labelled=False) == ("text", None, None)
    assert found(columns(text=SENTENCES, label=TOPICS), labelled=False)[2] == "label"
    guess = guess_columns(columns(text=SENTENCES), labelled=False)
    assert guess.said == "text column 'text'"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (TOPICS, "(2 labels)"),
        ([n % 4 for n in range(20)], "(4 labels)"),
        ([n / 4 for n in range(20)], "(numbers from 0.0 to 4.75)"),
        ([["a"], ["a", "b"]] * 10, "(lists, 2 labels)"),
    ],
)
def test_the_guess_is_said(labels: list[Any], said: str) -> None:
    guess = guess_columns(columns(text=SENTENCES, label=labels))
    assert guess.said == f"text column 'text', label column 'label' {said}"
    assert guess.texts == ["text"]


def test_pairs_are_said() -> None:
    guess = guess_columns(columns(sentence1=SENTENCES, sentence2=OTHERS, label=TOPICS))
    assert guess.said.startswith("text column 'sentence1', pair column 'sentence2', label")
    assert guess.texts == ["sentence1", "sentence2"]


@pytest.mark.parametrize("option", ["text", "pair", "label"])
def test_a_named_column_that_is_not_there(option: str) -> None:
    with pytest.raises(DataError) as caught:
        guess_columns(columns(text=SENTENCES, label=TOPICS), **{option: "lable"})
    said = str(caught.value)
    assert "no column 'lable' in demo (did you mean 'label'?)" in said
    assert "text, label" in said
    assert f"--{option} COL" in said


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (columns(x=SENTENCES, y=OTHERS, label=TOPICS), "could be the text: x, y"),
        (columns(title=SENTENCES, body=OTHERS, label=TOPICS), "could be the text: body, title"),
        (columns(text=SENTENCES, u=TOPICS, v=TOPICS), "could be the label: u, v"),
        (
            columns(text=SENTENCES, topic=TOPICS, stars=[1, 2] * 10),
            "could be the label: topic, stars",
        ),
        (columns(text=SENTENCES), "no column that looks like a label"),
        (columns(text=SENTENCES, id=list(range(20))), "no column that looks like a label"),
        (columns(text=SENTENCES, same=["x"] * 20), "no column that looks like a label"),
        (columns(n=list(range(20)), label=TOPICS), "no column of text"),
    ],
)
def test_guesses_that_are_not_made(data: Dataset, says: str) -> None:
    with pytest.raises(DataError) as caught:
        guess_columns(data)
    assert says in str(caught.value)
    assert "--text" in str(caught.value) or "--label" in str(caught.value)


def test_two_texts_may_be_a_pair() -> None:
    with pytest.raises(DataError, match="--text x --pair y"):
        guess_columns(columns(x=SENTENCES, y=OTHERS, label=TOPICS))


def test_splits_are_guessed_from_train_and_checked_in_all() -> None:
    train = columns(text=SENTENCES, label=TOPICS)
    assert found({"test": columns(text=SENTENCES), "train": train}) == ("text", None, "label")
    with pytest.raises(DataError, match="the test split has no column 'text'"):
        guess_columns({"train": train, "test": columns(body=SENTENCES)})
    with pytest.raises(DataError, match="no splits"):
        guess_columns({})


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("sst2", {}, "text column 'column_1', label column 'column_2' (2 labels)"),
        ("trec/train_5500.label", {}, "text column 'text', label column 'label' (50 labels)"),
        ("wnut17", {}, "text column 'tokens', label column 'tags' (lists, 13 labels)"),
        (
            "xquad/xquad.en.json",
            {},
            "text column 'question', pair column 'context', label column 'answers' (objects)",
        ),
        (
            "rte-glue",
            {},
            "text column 'sentence1', pair column 'sentence2', label column 'label' (2 labels)",
        ),
    ],
)
def test_real_data(path: str, options: dict[str, str], said: str, shared: Path) -> None:
    assert guess_columns(read(shared / path)).said == said
