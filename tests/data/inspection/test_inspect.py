from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from headway.data import Dataset, guess_columns, inspect, read

from ..test_dataset import Letters


def card(data: Any, **options: Any) -> dict[str, Any]:
    names = {name: options.pop(name) for name in ("text", "label") if name in options}
    found = inspect(data, guess_columns(data, labelled="label" in names, **names), **options)
    # One document of plain values, with nothing that JSON bends.
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def of(texts: list[str | None], labels: list[Any] | None = None) -> Dataset:
    columns: dict[str, Any] = {"text": pa.array(texts, pa.string())}
    if labels is not None:
        columns["label"] = labels
    return Dataset.from_columns(columns, name="demo")


def test_sizes_and_types() -> None:
    found = card(of(["a", "b"], ["x", "y"]))
    assert found["rows"] == 2
    assert found["columns"]["types"] == {"text": "string", "label": "string"}
    assert found["columns"]["said"] == "text column 'text', label column 'label' (2 labels)"
    assert list(found["splits"]) == ["all"]
    assert found["leakage"] == []


@pytest.mark.parametrize(
    ("labels", "balance"),
    [
        (["b", "a", "b", None], {"b": 2, "a": 1}),
        ([1, 0, 0, 0], {"0": 3, "1": 1}),
        ([0.5, 2.0, 1.0, 0.5], {"min": 0.5, "mean": 1.0, "max": 2.0}),
        ([["x", "y"], ["x"], [], ["x"]], {"x": 3, "y": 1}),
        ([{"q": 1}] * 4, None),
    ],
)
def test_labels(labels: list[Any], balance: dict[str, Any] | None) -> None:
    found = card(of(["a", "b", "c", "d"], labels))["splits"]["all"]["labels"]
    assert found == balance
    if isinstance(labels[0], str):
        assert list(found) == ["b", "a"]  # the most frequent first


def test_lengths() -> None:
    data = of(["ä" * n for n in range(101)])
    found = card(data, tokenizer=Letters(), max_length=92)["splits"]["all"]
    assert found["characters"].pop("histogram")["counts"] == [5] * 20 + [1]
    assert found["characters"] == {
        **{f"p{p}": float(p) for p in (0, 5, 25, 50, 75, 95, 99, 100)},
        "mean": 50.0,
    }
    # Letters puts a token before and one behind.
    assert found["tokens"]["p50"] == 52.0
    assert found["over_max_length"] == {"max_length": 92, "rows": 10, "share": 10 / 101}
    assert "tokens" not in card(data)["splits"]["all"]


def test_pairs_are_added_up() -> None:
    data = Dataset.from_columns({"sentence1": ["ab"], "sentence2": ["cde"]})
    found = inspect(data, guess_columns(data, labelled=False), tokenizer=Letters())
    assert found["splits"]["all"]["characters"]["mean"] == 5.0
    assert found["splits"]["all"]["tokens"]["mean"] == 9.0


def test_lists_of_words_are_read_as_text() -> None:
    data = Dataset.from_columns({"tokens": [["ab", "c"], []], "tags": [["X", "O"], []]})
    found = inspect(data, guess_columns(data))["splits"]["all"]
    assert found["characters"]["p100"] == 4.0
    assert found["labels"] == {"O": 1, "X": 1}
    assert found["empty"] == {"tokens": 1}


def test_empty_missing_and_doubled_texts() -> None:
    data = of(["a b", "a b ", "a  b", "", " \u00a0", None], [0, 1, 0, 1, 1, 0])
    found = card(data)["splits"]["all"]
    assert found["empty"] == {"text": 3}
    assert found["missing"] == {"text": 1, "label": 0}
    assert found["duplicates"] == {"exact": 2, "ignoring_spacing": 3, "near": 4}
    assert found["near_duplicates"] == [[1, 0], [2, 0], [4, 3], [5, 3]]
    assert found["conflicts"] == 1


def test_odd_rows() -> None:
    data = of(["fine\ttab\nline\r\n", "bell\x07", "nul\0", "lost \ufffd", "\x7f", "ä漢🙂"])
    assert card(data)["splits"]["all"]["odd"] == [
        {"what": "control characters", "column": "text", "rows": 3, "first": [1, 2, 4]},
        {"what": "replacement characters (U+FFFD)", "column": "text", "rows": 1, "first": [3]},
    ]


def test_near_duplicates_and_near_leaks() -> None:
    text = "It was a long winter in the north of the country, and nobody came to see us."
    changed = text.replace("us.", "it.")
    train, test = of(["no", text, "x", changed]), of([text + "!", "none of these"])
    found = card({"train": train, "test": test})
    assert found["near"] == 0.8
    assert found["splits"]["train"]["duplicates"] == {"exact": 0, "ignoring_spacing": 0, "near": 1}
    assert found["splits"]["train"]["near_duplicates"] == [[3, 1]]
    (leak,) = found["leakage"]
    assert (leak["rows"], leak["near"], leak["first"]) == (0, 1, [[0, 1]])
    strict = card({"train": train, "test": test}, near=1.0)
    assert strict["splits"]["train"]["duplicates"]["near"] == strict["leakage"][0]["near"] == 0


def test_histograms_hold_every_row() -> None:
    data = of(["a" * n for n in [*range(200), 100_000]])
    histogram = card(data)["splits"]["all"]["characters"]["histogram"]
    assert sum(histogram["counts"]) == 201
    assert histogram["counts"][-1] >= 1 and histogram["edges"][-1] == 100_001
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1 <= 27
    assert histogram["edges"][:3] == [0, 10, 20]
    assert histogram["edges"] == sorted(set(histogram["edges"]))


def test_languages_of_rows_evenly_apart() -> None:
    data = of(["This is what it was."] * 3000 + ["Das ist der Hund."] * 3000)
    assert card(data)["splits"]["all"]["languages"] == {
        "rows": 2000,
        "found": {"de": 1000, "en": 1000},
    }


def test_leakage_between_every_two_splits() -> None:
    splits = {
        "train": of(["a", "b"], [0, 1]),
        "validation": of(["b ", "c"], [0, 1]),
        "test": of(["c", "a", "b", "d"]),
    }
    found = card(splits)
    assert found["rows"] == 8
    half = {"rows": 2, "share": 0.5, "near": 2}
    assert found["leakage"] == [
        {**half, "of": "train", "into": "validation", "rows": 1, "near": 1, "first": [[0, 1]]},
        {**half, "of": "train", "into": "test", "first": [[1, 0], [2, 1]]},
        {**half, "of": "validation", "into": "test", "first": [[0, 1], [2, 0]]},
    ]
    assert found["splits"]["test"]["labels"] is None
    assert found["splits"]["test"]["conflicts"] is None


def test_a_planted_give_away_is_found() -> None:
    texts = [f"the story of {n} number" + (" Zebra!" if n % 2 else "") for n in range(100)]
    found = card(of(texts, ["odd" if n % 2 else "even" for n in range(100)]))["artefacts"]
    best = found["odd"][0]
    assert (best["word"], best["rows_with_label"], best["rows"]) == ("zebra", 50, 50)
    assert best["pmi"] == 1.0  # all of its rows have the label, where a half is expected
    assert 0.5 < best["pmi_low"] < 1.0
    assert found["even"] == []


def test_a_rare_word_is_no_give_away() -> None:
    texts = ["common word"] * 50 + ["other word"] * 50
    texts[0] += " hapax"
    found = card(of(texts, ["a"] * 50 + ["b"] * 50))["artefacts"]
    assert [word["word"] for word in found["a"]] == ["common"]


@pytest.mark.parametrize("labels", [None, [0.5, 1.5], ["x", "x"], [["a"], ["b"]]])
def test_no_give_aways_without_classes(labels: list[Any] | None) -> None:
    data = of(["a", "b"], labels)
    assert inspect(data, guess_columns(data, labelled=False))["artefacts"] is None


def test_no_rows() -> None:
    found = card(
        of(["a"], ["x"])[:0], text="text", label="label", tokenizer=Letters(), max_length=3
    )
    assert found["splits"]["all"]["characters"] == {}
    assert found["splits"]["all"]["over_max_length"]["share"] == 0


def test_hans_gives_its_labels_away_by_no_single_word(shared: Path) -> None:
    data = read(shared / "hans" / "heuristics_evaluation_set.regenerated.tsv")
    found = inspect(data, guess_columns(data))
    assert found["splits"]["all"]["labels"] == {"entailment": 15_000, "non-entailment": 15_000}
    assert found["splits"]["all"]["rows"] == 30_000
