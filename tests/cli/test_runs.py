"""What adapt and evaluate print of reports, whatever the kind of answers."""

from __future__ import annotations

from typing import Any

import pytest
from reports.frozen_kinds import EXAMPLES, LONG, TAGS, of_kind

from headway.cli.terminal.answers import line_of
from headway.cli.terminal.runs import show_result


def printed(report: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    show_result(report, "runs/one")
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_fits_the_terminal(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = printed(of_kind(kind), capsys)
    assert max(map(len, said.splitlines())) <= 80
    assert said.splitlines()[-1].startswith("Next: headway predict runs/one ")


def test_long_answers_stand_below_their_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(of_kind("summaries"), capsys).splitlines()
    place = lines.index("  A long document.")
    assert lines[place + 1] == "  written    a a a a"
    assert lines[place + 2].startswith(f"  by people  {LONG[:40]}")
    tags = printed(of_kind("tags"), capsys)
    assert f"  said  {', '.join(TAGS)[:40]}" in tags and "… 0.40\n" in tags


def test_short_answers_stand_beside_it_in_their_own_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    header, row = examples(printed(of_kind("answer-spans"), capsys))
    assert header == ["for", "example", "answer", "predicted"]
    assert row[-3:] == ["Oslo", "1910", "0.31"]
    header, row = examples(printed(of_kind("language"), capsys))
    assert (header[-1], row[-4:]) == ("measured", ["8.11", "bits", "a", "byte"])
    header, row = examples(printed(of_kind("masked-words"), capsys))
    assert (header[-2:], row[-4:]) == (["tokens", "predicted"], ["8", "hidden", "3", "told"])


def examples(said: str) -> tuple[list[str], list[str]]:
    lines = said.splitlines()
    start = next(n for n, line in enumerate(lines) if "for example" in line)
    return lines[start].split(), lines[start + 2].split()


def test_lengths_say_what_is_read_at_once_and_what_is_not_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = of_kind("answer-spans")
    report["lengths"] |= {"window": 192, "left_out": 2}
    said = " ".join(printed(report, capsys).split())
    assert "5,021 tokens, at once it reads 192: 931 texts were read in windows, none cut;" in said
    assert "2 texts had no room for what was said first, which is not read." in said


@pytest.mark.parametrize(
    ("task", "answer", "windows", "said"),
    [
        ("sentence-similarity", {"score": 0.5}, 2, False),
        ("sentence-similarity", {"score": 0.5}, 3, True),
        ("multiple-choice", {"label": "a", "score": 0.5, "scores": [0.5, 0.3, 0.2]}, 3, False),
        ("multiple-choice", {"label": "a", "score": 0.5, "scores": [0.5, 0.3, 0.2]}, 4, True),
        ("text-classification", {"label": "a", "score": 0.5}, 2, True),
    ],
)
def test_texts_that_are_read_side_by_side_are_no_windows(
    task: str, answer: dict[str, Any], windows: int, said: bool
) -> None:
    read = {"used": 90, "total": 90, "windows": windows}
    line = line_of(task, "a text", answer | {"tokens": read}, width=8)
    assert (f"[90 tokens in {windows} windows]" in line) is said
