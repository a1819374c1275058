"""Rows that are there twice, or nearly: what is dropped, what is counted, and what is said."""

from __future__ import annotations

from typing import Any

import pytest

from headway.adaptation import overlap
from headway.adaptation.rows import prepare_rows
from headway.adaptation.settings import Settings
from headway.data import Dataset, near_matches
from headway.errors import ConfigError
from headway.tasks import TASKS

from .quick import quick

PLACES = ("north", "south", "east", "west", "hills", "valleys", "harbour", "old town")


def story(number: int, end: str = "") -> str:
    """Texts that share little of their runs of five characters, unless the number is the same."""
    place = PLACES[number % len(PLACES)]
    return f"{number}{number} people of the {place} waited {number} days for parcel {number}{end}"


def data(texts: list[str]) -> Dataset:
    return Dataset.from_columns({"text": texts, "label": ["x", "y"] * (len(texts) // 2)})


def splits(end: str) -> dict[str, Dataset]:
    """Twenty rows that train, the last two of which are test rows but for their end."""
    return {
        "train": data([story(n) for n in range(20)]),
        "test": data([story(n, end) for n in range(18, 24)]),
    }


def prepared(given: Any, **settings: Any) -> Any:
    return prepare_rows(TASKS["text-classification"], given, Settings(**settings))


def test_near_copies_are_counted_and_kept_unasked() -> None:
    found = prepared(splits("."))
    assert (len(found.train), found.leaked_dropped, found.near_leaks) == (20, 0, 2)
    assert (
        "2 test rows are nearly as in training or validation and kept: near = 0.8 "
        "(--near 0.8) drops these training rows"
    ) in found.notes
    clean = prepared(splits(" and then for another one"))
    assert clean.near_leaks == 0
    assert not any("nearly" in note for note in clean.notes)


def test_what_is_counted_is_what_matches() -> None:
    given = splits("!")
    expected = near_matches(given["train"], given["test"], ["text"]) >= 0
    assert prepared(given).near_leaks == expected.sum() == 2


def test_near_copies_are_dropped_when_asked() -> None:
    found = prepared(splits("."), near=0.8)
    assert (len(found.train), len(found.test), found.leaked_dropped) == (18, 6, 2)
    assert found.near_leaks == 0
    assert "2 of these rows dropped whose text is also, or nearly, a test text" in found.notes
    assert prepared(splits("."), near=1).leaked_dropped == 0


def test_near_copies_among_validation_rows() -> None:
    given = {**splits("."), "validation": data([story(22), story(40)])}
    assert prepared(given).near_leaks == 3
    found = prepared(given, near=0.8)
    assert (found.validation["text"], found.leaked_dropped) == ([story(40)], 3)


def test_one_data_set_is_rid_of_near_duplicates_before_it_is_cut() -> None:
    texts = [story(n, end) for n in range(15) for end in ("", "!")]
    one = Dataset.from_columns({"text": texts, "label": [f"l{n // 2 % 2}" for n in range(30)]})
    found = prepared(one, near=0.8)
    assert (found.duplicates_dropped, len(found.train) + len(found.test)) == (15, 15)
    assert "15 duplicate and near-duplicate rows dropped" in found.notes
    kept = prepared(one)
    assert (kept.duplicates_dropped, len(kept.train) + len(kept.test)) == (0, 30)
    assert kept.near_leaks and kept.near_leaks > 0


def test_large_texts_are_not_compared_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "MOST_COMPARED", 100)
    found = prepared(splits("."))
    assert found.near_leaks is None
    assert any("were not looked for in 0 MB of text" in note for note in found.notes)
    assert prepared(splits("."), near=0.8).leaked_dropped == 2


def test_the_report_tells_of_them() -> None:
    result = quick(data=splits("."))
    assert result.report["data"]["near_leaks"] == 2
    assert any("2 test rows are nearly" in note for note in result.report["notes"])


@pytest.mark.parametrize("near", [0, 0.05, 1.1, -1, True, "0.8"])
def test_shares_that_are_none(near: Any) -> None:
    with pytest.raises(ConfigError, match="near"):
        Settings(near=near)
