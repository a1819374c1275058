from __future__ import annotations

import logging
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import Dataset, few_per_class, take_splits
from headway.errors import ConfigError, DataError


def numbered(rows: int, labels: str = "ab", start: int = 0) -> Dataset:
    return Dataset.from_columns(
        {
            "row": list(range(start, start + rows)),
            "label": [labels[n % len(labels)] for n in range(rows)],
        }
    )


@given(rows=st.integers(4, 200), seed=st.integers(0, 3))
def test_one_data_set_is_cut_in_three_that_share_nothing(rows: int, seed: int) -> None:
    data = numbered(rows)
    splits = take_splits(data, label="label", seed=seed)
    parts = (splits.train, splits.validation, splits.test)
    assert sorted(n for part in parts for n in part["row"]) == list(range(rows))
    assert all(len(part) for part in parts)
    again = take_splits(data, label="label", seed=seed)
    assert [part["row"] for part in parts] == [
        part["row"] for part in (again.train, again.validation, again.test)
    ]


def test_shares_and_balance() -> None:
    splits = take_splits(
        numbered(1000, "aaab"), label="label", test_share=0.3, validation_share=0.1
    )
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (630, 70, 300)
    assert Counter(splits.test["label"]) == {"a": 225, "b": 75}
    assert splits.said == (
        "train 630, validation 70 (cut from train), test 300 (cut), by chance with seed 0, "
        "label kept even"
    )


def test_three_given_are_left_alone() -> None:
    given_splits = {name: numbered(5) for name in ("train", "validation", "test")}
    splits = take_splits(given_splits)
    assert splits.train is given_splits["train"]
    assert splits.validation is given_splits["validation"]
    assert splits.test is given_splits["test"]
    assert splits.said == "train 5, validation 5 (as given), test 5 (as given)"


@given(rows=st.integers(9, 200), groups=st.integers(3, 12), seed=st.integers(0, 3))
def test_no_cut_parts_a_group(rows: int, groups: int, seed: int) -> None:
    data = Dataset.from_columns(
        {"row": list(range(rows)), "context": [f"c{n * n % groups}" for n in range(rows)]}
    )
    if len(set(data["context"])) < 3:
        with pytest.raises(DataError, match=r"same context, so that none can be cut for"):
            take_splits(data, group="context", seed=seed, test_share=0.5, validation_share=0.5)
        return
    splits = take_splits(data, group="context", seed=seed)
    parts = [splits.train, splits.validation, splits.test]
    assert sorted(n for part in parts for n in part["row"]) == list(range(rows))
    assert all(part["row"] == sorted(part["row"]) for part in parts)
    assert all(len(part) for part in parts)
    seen = [set(part["context"]) for part in parts]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert splits.said.endswith(", rows with the same context kept together")
    again = take_splits(data, group="context", seed=seed)
    assert again.test["row"] == splits.test["row"]


def test_the_share_of_groups_is_met_as_nearly_as_they_allow() -> None:
    data = Dataset.from_columns({"context": [f"c{n // 5}" for n in range(1000)]})
    splits = take_splits(data, group="context", test_share=0.2, validation_share=0.1)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (720, 80, 200)
    drawn = {
        tuple(take_splits(data, group="context", seed=seed).test["context"]) for seed in range(4)
    }
    assert len(drawn) == 4


def test_one_in_group_cannot_be_cut() -> None:
    data = Dataset.from_columns({"context": ["c"] * 9}, name="rows")
    with pytest.raises(DataError, match=r"all rows of rows have the same context.*for test"):
        take_splits(data, group="context")
    with pytest.raises(DataError, match=r"for validation.*give a validation split"):
        take_splits(data, test=data, group="context")
    assert len(take_splits(data, test=data, group="context", validation_share=0).train) == 9


def test_a_validation_split_judges_where_there_is_no_test() -> None:
    data = {"train": numbered(100), "validation": numbered(20, start=100)}
    splits = take_splits(data)
    assert splits.test is data["validation"]
    assert sorted(splits.train["row"] + splits.validation["row"]) == list(range(100))
    assert "test 20 (the validation split as given)" in splits.said


def test_separate_test_rows_win() -> None:
    other = numbered(7, start=500)
    for test in (other, {"test": other, "train": numbered(1)}, {"train": other}):
        splits = take_splits({"train": numbered(50), "test": numbered(9)}, test=test)
        assert splits.test["row"] == other["row"]
        assert len(splits.train) + len(splits.validation) == 50


def test_validation_as_given_with_separate_test() -> None:
    validation = numbered(9)
    splits = take_splits({"train": numbered(50), "validation": validation}, test=numbered(3))
    assert splits.validation is validation
    assert len(splits.train) == 50


@pytest.mark.parametrize(
    "labels",
    [
        [0.5 * n for n in range(20)],
        [["a"], ["b"]] * 10,
        [str(n) for n in range(20)],
    ],
)
def test_labels_that_are_no_classes_are_cut_without_balance(labels: list[object]) -> None:
    data = Dataset.from_columns({"label": labels})
    assert "kept even" not in take_splits(data, label="label").said


@pytest.mark.parametrize(
    "data",
    [
        {"validation": numbered(5)},
        {"train": numbered(5), "dev": numbered(5)},
        {},
        numbered(1),
        numbered(2),
    ],
)
def test_what_cannot_be_split(data: Dataset | dict[str, Dataset]) -> None:
    with pytest.raises(DataError):
        take_splits(data)


def test_separate_test_data_that_is_ambiguous() -> None:
    parts = {"train": numbered(3), "validation": numbered(3)}
    with pytest.raises(DataError, match="of which one is called test"):
        take_splits(numbered(10), test=parts)


def test_a_label_that_is_not_there() -> None:
    with pytest.raises(DataError, match="no column 'topic'"):
        take_splits(numbered(10), label="topic")


@given(rows=st.integers(6, 60), n=st.integers(1, 3), seed=st.integers(0, 3))
def test_few_of_every_class(rows: int, n: int, seed: int) -> None:
    data = numbered(rows, "aab")
    taken, rest = few_per_class(data, "label", n, seed=seed)
    available = Counter(data["label"])
    assert Counter(taken["label"]) == {label: min(n, available[label]) for label in "ab"}
    assert sorted(taken["row"] + rest["row"]) == list(range(rows))
    assert taken["row"] == sorted(taken["row"])
    assert taken["row"] == few_per_class(data, "label", n, seed=seed)[0]["row"]


def test_few_are_drawn_by_chance() -> None:
    data = numbered(100)
    drawn = {tuple(few_per_class(data, "label", 2, seed=seed)[0]["row"]) for seed in range(6)}
    assert len(drawn) == 6


def test_a_class_with_too_few_rows_is_said(caplog: pytest.LogCaptureFixture) -> None:
    data = Dataset.from_columns({"label": ["a", "a", "b", None]})
    with caplog.at_level(logging.WARNING, logger="headway"):
        taken, rest = few_per_class(data, "label", 2)
    assert taken["label"] == ["a", "a", "b"]
    assert rest["label"] == [None]
    assert "label 'b' has 1 rows only, 2 were asked" in caplog.text


def test_no_rows_of_every_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 rows for every class"):
        few_per_class(numbered(5), "label", 0)
