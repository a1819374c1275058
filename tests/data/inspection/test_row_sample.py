from __future__ import annotations

import json

import pytest

from headway.data import Dataset, guess_columns, inspect, row_sample


def sampled(splits: dict[str, Dataset], **options: int) -> list[dict[str, object]]:
    columns = guess_columns(splits, labelled=False)
    found = row_sample(splits, columns, inspect(splits, columns), **options)
    assert json.loads(json.dumps(found)) == found
    return found


def of(texts: list[str]) -> Dataset:
    return Dataset.from_columns({"text": texts, "label": ["x", None] * (len(texts) // 2)})


def test_small_data_sets_are_shown_whole() -> None:
    found = sampled({"train": of(["a b", "c d"]), "test": of(["e f", "g h"])})
    assert [(one["split"], one["row"], one["texts"], one["label"]) for one in found] == [
        ("train", 0, ["a b"], "x"),
        ("train", 1, ["c d"], None),
        ("test", 0, ["e f"], "x"),
        ("test", 1, ["g h"], None),
    ]
    assert not any(one["marks"] or one["cut"] for one in found)


@pytest.mark.parametrize("most", [1, 50, 999])
def test_rows_with_a_remark_are_there_whatever_is_drawn(most: int) -> None:
    texts = [f"text number {n}" for n in range(2000)]
    texts[1234], texts[1500], texts[77] = "bell \x07 &amp;", "x" * 3000, " "
    found = sampled({"train": of(texts), "test": of(texts[:400])}, most=most)
    marked = {(one["split"], one["row"]): one["marks"] for one in found if one["marks"]}
    assert marked["train", 1234] == ["control characters", "remains of HTML"]
    assert marked["train", 1500] == ["very long", "one character repeated"]
    assert "only white space" in marked["train", 77]
    assert len(found) <= max(most, len(marked))
    places = [(one["split"] == "test", one["row"]) for one in found]
    assert places == sorted(set(places))
    (long,) = (one for one in found if one["cut"])
    assert long["texts"] == ["x" * 2000]
    if most == 999:
        tests = sum(one["split"] == "test" for one in found)
        assert 150 < tests < 190
        assert sampled({"train": of(texts), "test": of(texts[:400])}, most=most) == found
        assert sampled({"train": of(texts), "test": of(texts[:400])}, most=most, seed=1) != found


def test_near_rows_name_each_other() -> None:
    text = "It was a long winter in the north of the country, and nobody came to see us"
    found = sampled({"train": of([text, "no", "yes", f"{text}!"]), "test": of([f"{text}.", "a"])})
    marks = {(one["split"], one["row"]): one["marks"] for one in found}
    assert marks["train", 0] == ["near row 3", "near row 0 of test"]
    assert marks["train", 3] == ["near row 0"]
    assert marks["test", 0] == ["near row 0 of train"]


def test_lists_of_labels_and_pairs() -> None:
    data = Dataset.from_columns(
        {"sentence1": ["a"], "sentence2": ["This is what it was."], "label": [["x", "y"]]}
    )
    columns = guess_columns(data, label="label")
    (one,) = row_sample(data, columns, inspect(data, columns))
    assert (one["texts"], one["label"], one["language"]) == (
        ["a", "This is what it was."],
        "x, y",
        "en",
    )
