from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from headway.adaptation.rows import prepare_rows
from headway.adaptation.settings import Settings
from headway.errors import DataError
from headway.tasks import TASKS
from headway.tasks.labels.columns import flat_names, kind_of, label_name, label_names, wrong_label


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["a", "b"], "single-label"),
        ([1, 2, 3], "single-label"),
        ([True, False], "single-label"),
        ([None, "a"], "single-label"),
        ([], "single-label"),
        ([None], "single-label"),
        ([["a"], []], "multi-label"),
        ([None, ["a"]], "multi-label"),
        ([0.5, 1.0], "regression"),
        ([None, 1.0], "regression"),
        ([1, 0.5], "single-label"),
    ],
)
def test_kinds(column: list[Any], kind: str) -> None:
    assert kind_of(column) == kind


@pytest.mark.parametrize(
    ("column", "kind", "names"),
    [
        (["b", "a", "b"], "single-label", ("a", "b")),
        ([10, 9, 2], "single-label", ("2", "9", "10")),
        (["10", "9", "2"], "single-label", ("10", "2", "9")),
        ([1.0, 0.0, 0.5], "single-label", ("0", "0.5", "1")),
        ([True, False], "single-label", ("False", "True")),
        ([["b", "a"], [], ["b"]], "multi-label", ("a", "b")),
        ([[3, 11], [2]], "multi-label", ("2", "3", "11")),
        ([0.5, 7.0], "regression", ("score",)),
        ([datetime.date(2020, 5, 1), datetime.date(2019, 5, 1)], "single-label",
         ("2019-05-01", "2020-05-01")),
        (["é", "z", "Ω", "日本"], "single-label", ("z", "é", "Ω", "日本")),
    ],
)  # fmt: skip
def test_names_in_order(column: list[Any], kind: str, names: tuple[str, ...]) -> None:
    assert label_names(column, kind) == names


def test_whole_numbers_have_one_name_however_they_are_stored() -> None:
    assert label_name(3) == label_name(3.0) == label_name("3") == "3"
    assert label_name("3.0") == "3.0"
    assert flat_names([[1, 2.0], ["2"]], "multi-label") == ["1", "2", "2"]


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (None, "single-label", "no label"),
        (" ", "single-label", "no label"),
        (float("nan"), "single-label", "no label"),
        (["a"], "single-label", "not one label"),
        ({"a": 1}, "single-label", "not one label"),
        ("a;b", "multi-label", "'a;b' is not a list"),
        (None, "multi-label", "no label"),
        (["a", None], "multi-label", "no label"),
        ([["a"]], "multi-label", "not one label"),
        ("nan", "regression", "'nan' is not a finite number"),
        ("-inf", "regression", "'-inf' is not a finite number"),
        ("seven", "regression", "'seven' is not a finite number"),
        ("", "regression", "'' is not a finite number"),
        (10**400, "regression", "is not a finite number"),
        (True, "regression", "not a finite number"),
        (float("nan"), "regression", "not a finite number"),
        (float("inf"), "regression", "not a finite number"),
        (None, "regression", "no label"),
    ],
)
def test_what_is_wrong_is_said(value: Any, kind: str, said: str) -> None:
    assert said in wrong_label(value, kind)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a", "single-label"), (0, "single-label"), (False, "single-label"), ([], "multi-label"),
     (("a", 1), "multi-label"), (0, "regression"), (-1.5, "regression"),
     ("1.5", "regression"), (" -2e-3 ", "regression")],
)  # fmt: skip
def test_what_is_right_passes(value: Any, kind: str) -> None:
    assert wrong_label(value, kind) == ""


@pytest.mark.parametrize("task", ["text-classification", "sentence-similarity"])
def test_the_value_that_makes_texts_of_numbers_is_named(task: str, tmp_path: Path) -> None:
    labels = ("1.5", "nan", "2.5", "3.5")
    rows = "".join(f"some words {n},other words {n},{label}\n" for n, label in enumerate(labels))
    (tmp_path / "rows.csv").write_text(f"text,text_pair,label\n{rows}")
    kind = "regression" if task == "text-classification" else "similarity"
    with pytest.raises(DataError, match="row 2 of the train rows: 'nan' is not a finite"):
        prepare_rows(TASKS[task], tmp_path / "rows.csv", Settings(kind=kind, label="label"))
