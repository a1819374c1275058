from __future__ import annotations

from pathlib import Path

import pytest

from headway.data.reading.layout import (
    SPLIT_NAMES,
    by_split,
    refuse_missing_shards,
    split_of,
    visible,
)
from headway.errors import DataError


@pytest.mark.parametrize("word", SPLIT_NAMES)
@pytest.mark.parametrize("name", ["{}.csv", "news-{}.csv", "news_{}_2.csv", "wnut17{}.conll", "{}"])
def test_a_word_in_a_name(word: str, name: str) -> None:
    assert split_of(name.format(word.upper())) == SPLIT_NAMES[word]


@pytest.mark.parametrize(
    "name", ["contest.csv", "latest.csv", "trains.csv", "value.csv", "data.csv"]
)
def test_a_part_of_a_word_says_nothing(name: str) -> None:
    assert split_of(name) is None


def test_two_words_for_one_split_agree() -> None:
    assert split_of("dev-validation.csv") == "validation"
    with pytest.raises(DataError, match="train, test"):
        split_of("train-vs-test.csv")


def test_order_and_leftovers() -> None:
    files = [Path(name) for name in ("a-test.csv", "b-train.csv", "c.csv", "d-train.csv")]
    assert by_split(files, where="x") == {"train": [files[1], files[3]], "test": [files[0]]}
    assert list(by_split(files, where="x")) == ["train", "test"]
    assert by_split(files[2:3], where="x") == {None: files[2:3]}


def test_notes_and_hidden_files_are_not_rows() -> None:
    names = ["b.csv", "a.csv", ".x.csv", "_y.csv", "README.txt", "license.txt", "Source.txt"]
    assert [path.name for path in visible(map(Path, names))] == ["a.csv", "b.csv"]


def test_all_shards_must_be_there() -> None:
    whole = [Path(f"data/train-0000{n}-of-00003.parquet") for n in range(3)]
    refuse_missing_shards([*whole, Path("data/other-1-of-2.parquet"), Path("data/a.csv")])
    with pytest.raises(DataError, match=r"train-\*-of-00003.parquet: 2 of 3 .* number 00001"):
        refuse_missing_shards([whole[0], whole[2]])
