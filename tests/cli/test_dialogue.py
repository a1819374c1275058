"""Dialogues on the command line: adapted in both designs, measured, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from .calls import document, error_of, headway
from .tiny import write_jsonl

TALKS = [
    {
        "persona": [f"word{n} word1"],
        "history": [f"word{n + 2}", f"word{n + 3} late"],
        "reply": f"word{n} thanks",
        "candidates": [f"word{n + 5}", f"word{n} thanks"],
    }
    for n in range(12)
]


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_jsonl(tmp_path_factory.mktemp("talks") / "talks.jsonl", TALKS))


def test_a_dialogue_model_is_made_and_measured(model: str, talks: str, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    options = ("--task", "dialogue", "--design", "two-stacks", "--epochs", "1")
    done = headway("adapt", model, talks, "--out", out, *options, "--precision", "fp32")
    assert done.exit_code == 0, done.stderr
    assert "Hits@1" in done.stdout and "TF-IDF" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Next: headway predict")
    replied = headway("predict", out, "word1 late")
    assert replied.exit_code == 0, replied.stderr
    assert len(replied.stdout.splitlines()) == 1
    answered = document(headway("predict", out, "--file", talks, "--json"))
    assert answered[0]["prompt"] == "(word0 word1) ⏐ word2 ⏐ word3 late"
    told = document(headway("evaluate", out, talks, "--json"))
    assert told["kind"] == "ranked-replies" and told["test"]["n"] == 12
    shown = headway("compare", out, out, "--data", talks)
    assert shown.exit_code == 0 and "Perplexity" in shown.stdout, shown.stderr


def test_replies_without_candidates_are_shown_too(model: str, tmp_path: Path) -> None:
    rows = [{name: row[name] for name in ("history", "reply")} for row in TALKS]
    data = str(write_jsonl(tmp_path / "talks.jsonl", rows))
    options = ("--task", "dialogue", "--epochs", "1", "--precision", "fp32")
    done = headway("adapt", model, data, "--out", str(tmp_path / "run"), *options)
    assert done.exit_code == 0, done.stderr
    assert "F1 of words" in done.stdout


def test_a_design_that_cannot_be(model: str, talks: str, tmp_path: Path) -> None:
    options = ("--out", str(tmp_path / "run"), "--design", "one-text")
    said = error_of(headway("adapt", model, talks, "--task", "dialogue", *options))
    assert "is no decoder" in said and "--design two-stacks" in said
    assert not (tmp_path / "run").exists()
