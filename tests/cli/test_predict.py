from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import headway as package
from headway.cli.terminal.answers import LINES
from headway.pipelines import PIPELINES
from headway.tasks import TASKS

from .calls import document, error_of, headway
from .tiny import LONGEST, rows, write_csv, write_jsonl

TEXTS = ["word1 late word2", "broken word7", "word3 thanks"]
LABELS = ["delivery", "quality", "praise"]


def expected(run: str, texts: list[Any], **options: Any) -> list[dict[str, Any]]:
    return package.pipeline(run)(texts, **options)


def test_texts_as_arguments(run: str) -> None:
    result = headway("predict", run, *TEXTS)
    assert result.exit_code == 0, result.stderr
    told = [line.split(None, 2) for line in result.stdout.splitlines()]
    answers = expected(run, TEXTS)
    assert [row[0] for row in told] == LABELS
    assert [row[1] for row in told] == [f"{answer['score']:.3f}" for answer in answers]
    assert [row[2] for row in told] == TEXTS


def test_json_is_one_document_with_the_texts(run: str) -> None:
    told = document(headway("predict", run, *TEXTS, "--json"))
    answers = expected(run, TEXTS)
    assert told == [{"text": text, **answer} for text, answer in zip(TEXTS, answers, strict=True)]


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["piped", "dash"])
def test_lines_of_standard_input(run: str, arguments: list[str]) -> None:
    result = headway("predict", run, *arguments, input="\r\n".join([*TEXTS, "", "word1"]))
    told = result.stdout.splitlines()
    assert [line.split()[0] for line in told[:3]] == LABELS
    assert len(told) == 5


def test_no_lines_at_all(run: str) -> None:
    result = headway("predict", run, input="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "standard input was empty\n"
    assert document(headway("predict", run, "--json", input="")) == []


def test_lines_in_another_encoding(run: str) -> None:
    line = "café late\n".encode("latin-1")
    told = document(headway("predict", run, "--encoding", "latin-1", "--json", input=line))
    assert told[0]["text"] == "café late"
    assert "standard input, line 1: byte 3 is 0xe9" in error_of(headway("predict", run, input=line))


def test_a_file(run: str, tmp_path: Path) -> None:
    made = rows(9)
    answers = expected(run, [row["text"] for row in made])
    lines = "".join(f"{row['text']}\n" for row in made)
    for name in ("lines.txt", "lines"):
        (tmp_path / name).write_text(lines)
    write_csv(tmp_path / "rows.csv", made)
    write_jsonl(tmp_path / "rows.jsonl", made)
    for name, options in {
        "lines.txt": (),
        "lines": ("--format", "txt"),
        "rows.csv": ("--text", "text"),
        "rows.jsonl": ("--encoding", "utf-8"),
    }.items():
        told = document(headway("predict", run, "--file", str(tmp_path / name), *options, "--json"))
        assert told == [
            {"text": row["text"], **answer} for row, answer in zip(made, answers, strict=True)
        ], name


def test_pairs(run: str, tmp_path: Path) -> None:
    answers = expected(run, [(text, "word5") for text in TEXTS])
    told = document(headway("predict", run, *TEXTS, "--pair", "word5", "--json"))
    assert [{"text": t, "pair": "word5", **a} for t, a in zip(TEXTS, answers, strict=True)] == told
    data = write_csv(tmp_path / "pairs.csv", [{"a": text, "b": "word5"} for text in TEXTS])
    options = ("--text", "a", "--pair", "b", "--json")
    assert document(headway("predict", run, "--file", str(data), *options)) == told
    shown = headway("predict", run, TEXTS[0], "--pair", "word5").stdout
    assert shown.rstrip().endswith(f"{TEXTS[0]} ⏐ word5")


def test_top(run: str) -> None:
    told = document(headway("predict", run, TEXTS[0], "--top", "2", "--json"))
    (answer,) = expected(run, TEXTS[:1], top=2)
    assert told == [{"text": TEXTS[0], **answer}]
    shown = headway("predict", run, TEXTS[0], "--top", "9").stdout
    (every,) = expected(run, TEXTS[:1], top=9)
    first, second, _ = every["label"]
    assert shown.startswith(f"{first} {every['score'][0]:.3f}, {second} ")
    assert set(every["label"]) == set(LABELS)


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_precisions(run: str, precision: str) -> None:
    told = document(headway("predict", run, *TEXTS, "--precision", precision, "--json"))
    assert [one["label"] for one in told] == LABELS
    exact = [answer["score"] for answer in expected(run, TEXTS)]
    close = 0 if precision == "fp32" else 0.05
    assert all(abs(a["score"] - b) <= close for a, b in zip(told, exact, strict=True))


def test_a_text_of_one_megabyte_and_an_empty_one(run: str) -> None:
    long = "word1 word2 " * 85_000
    told = document(headway("predict", run, "--json", input=f"{long}\n\n"))
    assert [one["tokens"]["total"] for one in told] == [170_000, 0]
    assert told[0]["tokens"]["windows"] > 170_000 / LONGEST
    assert told[0]["tokens"]["used"] == 170_000
    assert told[1]["tokens"] == {"used": 0, "total": 0, "windows": 1}
    shown = headway("predict", run, "word1 " * 200).stdout
    assert "[200 tokens in 4 windows]" in shown and shown.count("\n") == 1
    assert len(shown) == 80 + len("\n")


def test_text_with_control_characters_does_nothing_to_the_terminal(run: str) -> None:
    shown = headway("predict", run, "\x1b[2Jlate\x07\nword1").stdout
    assert "\x1b" not in shown and "\x07" not in shown
    assert shown.count("\n") == 1


def test_labels_are_bold_on_a_terminal(run: str) -> None:
    assert headway("predict", run, "late", color=True).stdout.startswith("\x1b[1mdelivery")


def test_several_labels_and_none(model: str, tmp_path: Path) -> None:
    made: list[dict[str, Any]] = [
        {"text": row["text"], "label": [row["label"]] if number % 2 else []}
        for number, row in enumerate(rows(40))
    ]
    data = write_jsonl(tmp_path / "rows.jsonl", made)
    out = str(tmp_path / "run")
    assert headway("adapt", model, str(data), "--out", out, "--epochs", "1").exit_code == 0
    told = document(headway("predict", out, "word1", "--top", "3", "--json"))
    assert len(told[0]["label"]) == 3
    none = headway("predict", out, "word1 word2 word3 word4 word5")
    assert none.exit_code == 0
    assert none.stdout.startswith("(no label)") or none.stdout.split()[0] in LABELS


def test_what_cannot_be(run: str, model: str, tickets: str, tmp_path: Path) -> None:
    for arguments, said in {
        (run, "a", "--file", tickets): "texts and --file exclude each other",
        (run, "a", "--text", "text"): "--text is of a file. Next: name the --file.",
        (run, "a", "--format", "csv"): "--format is of a file.",
        (run, "a", "--top", "0"): "top = 0. Allowed: 1 or more",
        (run, "--file", str(tmp_path / "x.csv")): "no file or folder",
        (run, "--file", tickets, "--text", "txt"): "'txt'",
        (model, "a"): "has no head, so it says no task",
        (str(tmp_path / "none"), "a"): "none",
        (run, "a", "--precision", "fp64"): "'fp64' is not one of 'auto', 'fp32', 'bf16'",
    }.items():
        assert said in error_of(headway("predict", *arguments)), arguments


def test_splits_are_refused(run: str, tmp_path: Path) -> None:
    for name in ("train", "test"):
        write_csv(tmp_path / f"{name}.csv", rows(3))
    said = error_of(headway("predict", run, "--file", str(tmp_path)))
    assert "several splits: train, test" in said and "Next:" in said


def test_a_run_is_read_as_it_was_adapted(model: str, tickets: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--out", str(out), "--epochs", "1", "--window", "16", "--stride", "3")
    assert headway("adapt", model, tickets, *options).exit_code == 0
    assert json.loads((out / "run.json").read_text())["settings"]["window"] == 16
    (told,) = document(headway("predict", str(out), "word1 " * 30, "--json"))
    assert told["tokens"] == {"used": 30, "total": 30, "windows": 3}


def test_each_task_that_is_learned_is_answered_in_lines() -> None:
    assert set(TASKS) <= set(LINES) <= set(PIPELINES)


def test_what_a_run_says_is_next_is_what_its_task_takes(model: str, tmp_path: Path) -> None:
    made = [{"text": f"word{n} late", "pair": f"word{n} word1", "score": n % 5} for n in range(20)]
    data, out = str(write_jsonl(tmp_path / "pairs.jsonl", made)), str(tmp_path / "run")
    columns = ("--text", "text", "--pair", "pair", "--label", "score", "--epochs", "1")
    done = headway("adapt", model, data, "--out", out, "--task", "sentence-similarity", *columns)
    assert done.exit_code == 0, done.stderr
    first, *command = shlex.split(done.stdout.splitlines()[-1].removeprefix("Next: "))
    assert first == "headway"
    answered = headway(*command)
    assert answered.exit_code == 0 and "another text" in answered.stdout, answered.stderr
