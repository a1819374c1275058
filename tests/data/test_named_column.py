from __future__ import annotations

import pytest

from headway.data import Dataset
from headway.data.named_column import named_column, one_of_splits
from headway.errors import DataError

DATA = Dataset.from_columns({"B": ["x"], "A ": ["y"], "c": ["z"]}, name="demo")


def test_the_most_telling_name_is_taken_whatever_its_case() -> None:
    assert named_column(DATA, None, ("a", "b"), what="part", option="--pair") == "A "
    assert named_column(DATA, None, ("x", "b"), what="part", option="--pair") == "B"
    assert named_column(DATA, "c", ("a", "b"), what="part", option="--pair") == "c"


def test_train_speaks_for_all_splits() -> None:
    other = Dataset.from_columns({"d": ["x"]})
    assert one_of_splits({"test": other, "train": DATA}) is DATA
    assert one_of_splits({"test": other}) is other
    assert named_column({"test": other, "train": DATA}, None, ("b",), what="x", option="") == "B"
    with pytest.raises(DataError, match="no splits at all"):
        one_of_splits({})


def test_what_is_not_there_is_said() -> None:
    said = (
        r"demo has no column that is called like a part. Allowed: one of B, A , c. Next: --pair COL"
    )
    with pytest.raises(DataError, match=said):
        named_column(DATA, None, ("x",), what="part", option="--pair")
    with pytest.raises(
        DataError, match=r"no column 'C' in demo. Allowed: B, A , c. Next: --pair COL"
    ):
        named_column(DATA, "C", ("x",), what="part", option="--pair")
