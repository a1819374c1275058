from __future__ import annotations

import json
from pathlib import Path

import pytest

from headway import data as library
from headway.data import Dataset
from headway.tokenizer import Tokenizer

from .calls import document, error_of, headway


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("a", "b"):
        rows = [{"text": f"good day {n}", "id": f"{name}{n}"} for n in range(20)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def opened(folder: str) -> Dataset:
    data = library.read(folder)
    assert isinstance(data, Dataset)
    return data


def test_shards_hold_the_ids_of_the_texts(corpus: Path, model: str, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    result = headway("data", "tokenize", str(corpus), "--model", model, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("40 rows in 2 shards, ")
    data = opened(out)
    assert data.column_names == ["ids"]
    tokenizer = Tokenizer.load(model)
    assert data["ids"] == [tokenizer.encode(text).ids for text in opened(str(corpus))["text"]]
    again = headway("data", "tokenize", str(corpus), "--model", model, "--out", out)
    assert again.stdout.rstrip().endswith("which was there already")


def test_options_reach_the_plan(corpus: Path, model: str, tmp_path: Path) -> None:
    told = document(
        headway(
            *("data", "tokenize", str(corpus / "*.jsonl"), "--model", model, "--json"),
            *("--out", str(tmp_path / "out"), "--as", "arrow", "--workers", "2"),
            *("--text", "id", "--keep", "id", "--keep", "text", "--engine", "local"),
        )
    )
    files = [f"part-0000{n}-of-00002.arrow" for n in (0, 1)]
    assert (told["files"], told["rows"]) == (files, 40)
    assert told["bytes"] == sum((tmp_path / "out" / file).stat().st_size for file in files)
    data = opened(told["folder"])
    assert data.column_names == ["ids", "id", "text"]
    assert data["id"] == [f"{name}{n}" for name in "ab" for n in range(20)]
    assert data["ids"][3] == Tokenizer.load(model).encode("a3").ids


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--text", "txt"], "no column 'txt'"),
        (["--keep", "nothing"], "no column 'nothing'"),
        (["--encoding", "utf-9"], "utf-9"),
        (["--address", "head:6379"], "address='head:6379'"),
        (["--as", "csv"], "'csv' is not one of"),
        (["--workers", "0"], "0 is not in the range"),
        (["--engine", "spark"], "'spark' is not one of"),
    ],
)
def test_wrong_options_are_said(
    options: list[str], said: str, corpus: Path, model: str, tmp_path: Path
) -> None:
    call = ["data", "tokenize", str(corpus), "--model", model, "--out", str(tmp_path / "out")]
    assert said in error_of(headway(*call, *options))


def test_wrong_input_is_said(corpus: Path, model: str, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    call = ["data", "tokenize", "--model", model, "--out", out]
    assert "no file or folder" in error_of(headway(*call, str(tmp_path / "no.jsonl")))
    (corpus / "b.jsonl").write_text('{"text": "good"}\n{"text": oops}\n')
    assert "b.jsonl line 2: not JSON" in error_of(headway(*call, str(corpus)))
