from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import Dataset, drop_duplicates, drop_leaked
from headway.errors import DataError

from ..helpers import one

words = st.lists(st.sampled_from(["a", " a", "b", "a b", "a  b", "c\n"]), max_size=12)


def of(texts: list[str]) -> Dataset:
    return Dataset.from_rows(
        [{"text": t, "row": n} for n, t in enumerate(texts)] or [{"text": "", "row": 0}]
    )


@given(texts=words.filter(bool))
def test_the_first_of_every_group_stays(texts: list[str]) -> None:
    seen: dict[str, int] = {}
    for row, text in enumerate(texts):
        seen.setdefault(text.strip(), row)
    kept, dropped = drop_duplicates(of(texts), ["text"])
    assert kept["row"] == list(seen.values())
    assert dropped == len(texts) - len(seen)
    assert drop_duplicates(kept, ["text"])[1] == 0


@given(train=words.filter(bool), test=words.filter(bool))
def test_what_train_has_too_leaves_test(train: list[str], test: list[str]) -> None:
    clean, dropped = drop_leaked(of(train), of(test), ["text"])
    known = {text.strip() for text in train}
    assert clean["row"] == [n for n, text in enumerate(test) if text.strip() not in known]
    assert dropped == len(test) - len(clean)


def test_labels_count_only_when_named() -> None:
    data = Dataset.from_rows([{"text": "a", "label": 0}, {"text": "a", "label": 1}])
    assert drop_duplicates(data, ["text"])[1] == 1
    assert drop_duplicates(data, ["text", "label"])[1] == 0


def test_pairs_are_the_same_only_together() -> None:
    data = Dataset.from_rows([{"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a": "x", "b": "y"}])
    assert drop_duplicates(data, ["a", "b"])[1] == 1


def test_spacing_can_be_ignored() -> None:
    train, test = of(["a b"]), of(["a\tb"])
    assert drop_leaked(train, test, ["text"])[1] == 0
    assert drop_leaked(train, test, ["text"], ignore_spacing=True)[1] == 1


def test_columns_that_are_not_there() -> None:
    data = of(["a"])
    with pytest.raises(DataError, match="no column 'body'"):
        drop_duplicates(data, ["body"])
    for train, test in ((data, data.drop(["text"])), (data.drop(["text"]), data)):
        with pytest.raises(DataError, match="no column 'text'"):
            drop_leaked(train, test, ["text"])


def test_real_leakage(shared: Path) -> None:
    train, test = one(shared / "sst2" / "train.tsv"), one(shared / "sst2" / "test.tsv")
    clean, dropped = drop_leaked(train, test, ["column_1"])
    known = {text.strip() for text in train["column_1"]}
    assert dropped == sum(text.strip() in known for text in test["column_1"])
    assert len(clean) == 1821 - dropped
