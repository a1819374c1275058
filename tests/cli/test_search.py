from __future__ import annotations

from pathlib import Path

import headway as package

from .calls import document, error_of, headway
from .tiny import rows, write_csv


def test_found_texts_with_their_rows(model: str, tickets: str) -> None:
    wanted = package.SemanticSearch(model, tickets).search("word1 late", top=3)
    result = headway("search", model, tickets, "word1 late", "--top", "3")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    heads = [line.split() for line in lines if not line.startswith(" ")]
    assert [head[2] for head in heads] == [str(hit["row"] + 1) for hit in wanted]
    assert [head[0] for head in heads] == [f"{hit['score']:.3f}" for hit in wanted]
    told = document(headway("search", model, tickets, "word1 late", "--top", "3", "--json"))
    assert told == [{"query": "word1 late", "found": wanted}]
    assert "not tuned to" in result.stderr


def test_queries_line_by_line(model: str, tickets: str) -> None:
    result = headway("search", model, tickets, "--top", "1", input="word1\nword2\n")
    assert result.exit_code == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if line in ("word1", "word2")] == [
        "word1", "word2",
    ]  # fmt: skip


def test_a_long_text_says_where(model: str, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "long.csv", [{"text": "word1 " * 100 + "late " * 40, "n": 1}])
    result = headway("search", model, str(file), "late late late", "--text", "text")
    assert ", characters " in result.stdout


def test_what_cannot_be_searched(model: str, tickets: str, tmp_path: Path) -> None:
    assert "--text" in error_of(headway("search", model, tickets, "a", "--text", "titel"))
    assert "top = 0" in error_of(headway("search", model, tickets, "a", "--top", "0"))
    folder = tmp_path / "splits"
    folder.mkdir()
    for name in ("train", "test"):
        write_csv(folder / f"{name}.csv", rows(6))
    assert "several splits" in error_of(headway("search", model, str(folder), "a"))
