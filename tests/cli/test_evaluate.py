from __future__ import annotations

import json
from pathlib import Path

import pytest

from .calls import document, error_of, headway
from .tiny import rows, write_csv


def test_the_same_rows_give_the_same_scores_as_the_report(run: str, tmp_path: Path) -> None:
    report = json.loads(Path(run, "report.json").read_text())
    data = write_csv(tmp_path / "more.csv", rows(60, seed=4))
    told = document(headway("evaluate", run, str(data), "--json"))
    assert told["test"]["n"] == 60
    assert told["test"]["accuracy"] >= 0.9
    assert told["label_names"] == report["label_names"]


def test_a_split_is_chosen(run: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", rows(9))
    write_csv(tmp_path / "test.csv", rows(6))
    counts = {
        split: document(headway("evaluate", run, str(tmp_path), *options, "--json"))["test"]["n"]
        for split, options in {"test": (), "train": ("--split", "train")}.items()
    }
    assert counts == {"test": 6, "train": 9}
    said = error_of(headway("evaluate", run, str(tmp_path), "--split", "dev"))
    assert "'dev'" in said and "train, test" in said


def test_what_is_printed(run: str, tickets: str) -> None:
    result = headway("evaluate", run, tickets)
    assert result.exit_code == 0
    accuracy = document(headway("evaluate", run, tickets, "--json"))["test"]["accuracy"]
    first = next(line for line in result.stdout.splitlines() if "Accuracy" in line)
    assert f"{100 * accuracy:.1f}%" in first
    assert "of 90 test texts right" in result.stdout
    assert "text column 'text', label column 'label' (3 labels)" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--text", "text", "--label", "label"),
        ("--encoding", "latin-1"),
        ("--format", "csv"),
        ("--window", "16", "--stride", "2"),
        ("--batch-tokens", "64"),
        ("--precision", "auto"),
        ("--precision", "fp32"),
        ("--precision", "bf16"),
    ],
    ids=" ".join,
)
def test_every_option(run: str, tickets: str, options: tuple[str, ...]) -> None:
    told = document(headway("evaluate", run, tickets, *options, "--json"))
    assert told["test"]["accuracy"] >= 0.9


def test_pairs(run: str, tmp_path: Path) -> None:
    made = [{"a": row["text"], "b": "word3", "label": row["label"]} for row in rows(12)]
    data = write_csv(tmp_path / "pairs.csv", made)
    options = ("--text", "a", "--pair", "b", "--json")
    told = document(headway("evaluate", run, str(data), *options))
    assert told["lengths"]["max_seen"] == 1 + max(len(row["a"].split()) for row in made)


def test_a_model_without_a_head(model: str, tickets: str) -> None:
    said = error_of(headway("evaluate", model, tickets))
    assert "says no task" in said and "headway adapt" in said


def test_a_label_that_the_run_does_not_know(run: str, tmp_path: Path) -> None:
    data = write_csv(tmp_path / "more.csv", [{"text": "word1", "label": "x"}] * 2)
    said = error_of(headway("evaluate", run, str(data), "--label", "label"))
    assert "'x'" in said and "delivery, praise, quality" in said
