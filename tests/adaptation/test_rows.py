from __future__ import annotations

from typing import Any

import pytest
from training.tiny import rows

from headway.adaptation.rows import Rows, prepare_rows
from headway.adaptation.settings import Settings
from headway.data import Dataset, guess_columns
from headway.errors import DataError
from headway.tasks import TASKS
from headway.tasks.inputs import texts_of


def data(texts: list[Any], labels: list[Any]) -> Dataset:
    return Dataset.from_columns({"text": texts, "label": labels})


def numbered(n: int, labels: int = 2, start: int = 0) -> Dataset:
    return data(
        [f"text {k}" for k in range(start, start + n)], [f"l{k % labels}" for k in range(n)]
    )


def prepared(given: Any, test: Any = None, **settings: Any) -> Rows:
    return prepare_rows(TASKS["text-classification"], given, Settings(**settings), test=test)


def test_one_data_set_is_cut_and_nothing_is_lost_or_shared() -> None:
    found = prepared(numbered(100), validation=0.1)
    sizes = {name: len(part) for name, part in found.parts.items()}
    assert sizes == {"train": 72, "validation": 8, "test": 20}
    texts = [text for part in found.parts.values() for text in part["text"]]
    assert len(set(texts)) == 100
    assert found.meaning.labels == ("l0", "l1") and found.meaning.kind == "single-label"
    assert found.answers(found.test).count("l0") == 10


def test_few_rows_leave_none_for_validation_and_say_so() -> None:
    assert len(prepared(numbered(999), test=numbered(5, start=2000)).validation) == 0
    found = prepared(numbered(1000), test=numbered(5, start=2000))
    assert len(found.validation) == 100
    said = "no rows to spare for validation: the number of epochs is fixed beforehand"
    assert said not in found.notes
    assert said in prepared(numbered(50)).notes


def test_splits_are_taken_as_given() -> None:
    given = {
        "train": numbered(30),
        "validation": numbered(6, start=100),
        "test": numbered(8, start=200),
    }
    found = prepared(given)
    assert [len(part) for part in found.parts.values()] == [30, 6, 8]
    other = prepared(given, test=numbered(4, start=300))
    assert other.test["text"][0] == "text 300"


def test_duplicates_are_dropped_from_training_and_counted() -> None:
    given = {
        "train": data(["a b", "a b", "c d"], ["x", "x", "y"]),
        "test": data(["e", "e"], ["x", "y"]),
    }
    found = prepared(given)
    assert (len(found.train), len(found.test), found.duplicates_dropped) == (2, 2, 1)
    assert "1 duplicate row dropped" in found.notes


def test_rows_that_judge_neither_train_nor_choose() -> None:
    given = {
        "train": numbered(20),
        "validation": numbered(10, start=15),
        "test": numbered(10, start=18),
    }
    found = prepared(given)
    judging = set(found.test["text"])
    assert len(found.test) == 10
    assert not judging & {*found.train["text"], *found.validation["text"]}
    assert (len(found.train), len(found.validation), found.leaked_dropped) == (18, 3, 9)


def test_a_pair_leaks_as_a_whole_only() -> None:
    def pairs(seconds: list[str]) -> Dataset:
        columns = {"text": ["a"] * len(seconds), "text_pair": seconds}
        return Dataset.from_columns({**columns, "label": ["x", "y"] * (len(seconds) // 2)})

    found = prepared({"train": pairs(["b", "c", "d", "e"]), "test": pairs(["e", "f"])})
    assert found.inputs(found.train) == [("a", "b"), ("a", "c"), ("a", "d")]
    assert found.leaked_dropped == 1


@pytest.mark.parametrize("shape", ["one", "train"])
def test_few_rows_of_each_class_train_and_all_others_judge(shape: str) -> None:
    given = numbered(60, labels=3)
    found = prepared(given if shape == "one" else {"train": given}, max_labels_per_class=4)
    assert sorted(found.answers(found.train)) == ["l0"] * 4 + ["l1"] * 4 + ["l2"] * 4
    assert len(found.test) == 48 and len(found.validation) == 0
    assert "4 rows of each class train, all others are for measuring" in found.notes


def test_few_rows_of_each_class_with_rows_that_judge() -> None:
    splits = {"train": numbered(60), "test": numbered(10, start=100)}
    for found in (
        prepared(splits, max_labels_per_class=4),
        prepared(numbered(60), test=numbered(10, start=100), max_labels_per_class=4),
    ):
        assert (len(found.train), len(found.test)) == (8, 10)


def test_a_seed_decides_the_cut() -> None:
    cuts = [prepared(numbered(50), seed=seed).test["text"] for seed in (0, 0, 1)]
    assert cuts[0] == cuts[1] != cuts[2]


def test_a_rare_label_that_is_cut_away_from_training_is_known() -> None:
    """Sets of labels are cut by chance: one that only test rows have is no reason to stop."""
    for seed in range(20):
        labels = [["a"], ["b"]] * 10 + [["rare"]]
        found = prepared(data([f"text {n}" for n in range(21)], labels), seed=seed)
        assert found.meaning.labels == ("a", "b", "rare")
        if ["rare"] in found.answers(found.test):
            said = "no training rows with the labels rare: all are for measuring"
            assert said in found.notes
            return
    raise AssertionError("no seed cut it away")


def test_whole_numbers_in_training_and_texts_in_test_are_the_same_labels() -> None:
    found = prepared(data(["a", "b", "c"], [0, 1, 1]), test=data(["d", "e"], ["1", "0"]))
    assert found.meaning.labels == ("0", "1")


@pytest.mark.parametrize(
    ("labels", "kind", "asked"),
    [
        (["x", "y"], "single-label", None),
        ([3, 7], "single-label", None),
        ([3, 7], "regression", "regression"),
        ([0.5, 1.5], "regression", None),
        ([0.0, 1.0], "single-label", "single-label"),
        ([["x"], []], "multi-label", None),
    ],
)
def test_kinds(labels: list[Any], kind: str, asked: str | None) -> None:
    found = prepared(data(list("abcdefgh"), labels * 4), kind=asked)
    assert found.meaning.kind == kind
    assert f"{kind}, {'as asked' if asked else 'as the label column says'}" in found.notes


def test_texts_that_are_nearly_numbers_are_said() -> None:
    labels = ["1.5", "nan", "2.5", "3.5"] * 2
    found = prepared(data(list("abcdefgh"), labels))
    said = "most labels are numbers, but 'nan' in row 2 is none: --kind regression predicts numbers"
    assert found.meaning.kind == "single-label" and said in found.notes
    assert said not in prepared(data(list("abcdefgh"), labels), kind="single-label").notes


def test_empty_texts_are_counted() -> None:
    found = prepared(data(["a", "", None, "b", "  ", "c"], ["x", "y"] * 3), seed=1)
    assert any(note in ("1 texts are empty", "2 texts are empty") for note in found.notes)
    split = {
        "train": data(["a", "", "b"], ["x", "y", "x"]),
        "test": data(["", "c", " "], ["x"] * 3),
    }
    clean = prepared({**split, "train": data(["a", "b"], ["x", "y"])})
    assert "2 texts are empty" in clean.notes
    assert not any("empty" in note for note in prepared(numbered(20)).notes)


def test_absent_texts_are_empty_and_numbers_are_written() -> None:
    given = Dataset.from_columns({"text": ["a", None], "number": [1, 2], "label": ["x", "y"]})
    columns = guess_columns(given, text="text", pair="number", label="label")
    assert texts_of(given, columns) == [("a", "1"), ("", "2")]


def test_the_fingerprint_tells_all_rows() -> None:
    one, two, judge = numbered(20), numbered(21), numbered(5, start=50)
    found = [
        prepared(one).fingerprint,
        prepared(two).fingerprint,
        prepared(one, test=judge).fingerprint,
        prepared({"train": one, "test": judge}).fingerprint,
    ]
    assert len(set(found[:3])) == 3
    assert prepared(one, seed=5, max_labels_per_class=2).fingerprint == found[0]


def test_a_label_column_that_test_rows_lack_is_said() -> None:
    test = Dataset.from_columns({"text": ["a"]})
    with pytest.raises(DataError, match="the test rows have no column 'label'"):
        prepared(numbered(9), test=test)


def test_cut_rows_keep_pairs_and_numbers_together() -> None:
    given = rows("regression", n=30, pair=True)
    found = prepared(given, pair="other")
    wanted = {(row["text"], row["other"]): row["label"] for row in given}
    for part in found.parts.values():
        for text, label in zip(found.inputs(part), found.answers(part), strict=True):
            assert wanted[text] == label
