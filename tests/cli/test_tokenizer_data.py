"""`headway tokenizer train` on data sets: the text column of rows, not the lines of their files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from headway.data import guess_columns, read
from headway.data.reading import open as opening
from headway.tokenizer import Tokenizer

from .calls import document, error_of, headway
from .tiny import write_csv, write_jsonl

LINES = ["The cat sat on the mat, twice.", "The dog, too, sat on the mat!"] * 20


def vocabulary(folder: Path, *arguments: str) -> dict[str, int]:
    out = folder / "out"
    done = headway(
        *("tokenizer", "train", *arguments, "--kind", "bpe", "--size", "120"), "--out", str(out)
    )
    assert done.exit_code == 0, done.stderr
    return Tokenizer.load(out).vocabulary


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, int]:
    (tmp_path / "lines.txt").write_text("\n".join(LINES) + "\n")
    return vocabulary(tmp_path, str(tmp_path / "lines.txt"))


def test_every_format(expected: dict[str, int], tmp_path: Path) -> None:
    made = [{"text": text, "label": f"l{n % 2}"} for n, text in enumerate(LINES)]
    write_csv(tmp_path / "a.csv", made)
    write_jsonl(tmp_path / "a.jsonl", [*made, {"text": None, "label": "none"}])
    parquet.write_table(pa.Table.from_pylist(made), tmp_path / "a.parquet")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    for name in ("a.csv", "a.jsonl", "a.parquet", "a.txt.gz"):
        assert vocabulary(tmp_path, str(tmp_path / name)) == expected, name
    assert vocabulary(tmp_path, str(tmp_path / "a.c*"), "--text", "text") == expected
    labels = vocabulary(tmp_path, str(tmp_path / "a.csv"), "--text", "label")
    assert "mat" not in labels


def test_of_splits_train_is_learnt_from(expected: dict[str, int], tmp_path: Path) -> None:
    folder = tmp_path / "splits"
    folder.mkdir()
    write_csv(folder / "train.csv", [{"text": text} for text in LINES])
    write_csv(folder / "test.csv", [{"text": "zebra quiz"}])
    assert vocabulary(tmp_path, str(folder), "--text", "text") == expected
    both = vocabulary(tmp_path, str(folder / "train.csv"), str(folder / "test.csv"))
    assert "z" in both and "z" not in expected
    (folder / "train.csv").rename(folder / "dev.csv")
    said = error_of(headway("tokenizer", "train", str(folder), "--out", str(tmp_path / "new")))
    assert "holds several splits: validation, test" in said


def test_both_texts_of_a_pair_and_options_of_files(
    expected: dict[str, int], tmp_path: Path
) -> None:
    half = len(LINES) // 2
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "x.a").write_text("\n".join(LINES[:half]))
    (tmp_path / "both" / "x.b").write_text("\n".join(LINES[half:]))
    recipe = {"format": "parallel", "columns": {"premise": "*.a", "hypothesis": "*.b"}}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    columns = guess_columns(read(tmp_path / "both", recipe=recipe), labelled=False)
    assert columns.pair == "hypothesis"
    options = ("--recipe", str(tmp_path / "recipe.json"))
    assert vocabulary(tmp_path, str(tmp_path / "both"), *options) == expected
    (tmp_path / "latin.txt").write_bytes("Müde Hüte.\n".encode("latin-1") * 9)
    latin = ("--encoding", "latin-1", "--sample-by", "document")
    assert "ü" in vocabulary(tmp_path, str(tmp_path / "latin.txt"), *latin)


def test_large_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(opening, "BIG", 0)
    data = str(write_csv(tmp_path / "a.csv", [{"text": text} for text in LINES]))
    first = vocabulary(tmp_path, data, "--text", "text")
    assert vocabulary(tmp_path, data, "--text", "text") == first
    (made,) = document(headway("data", "why", "--json"))
    assert (made["parts"]["step"], made["rows"]) == ("prepare", len(LINES))


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("a.csv", ("--text", "txt"), "no column 'txt'"),
        ("none.csv", (), "no file or folder"),
        ("none.txt", (), "none.txt cannot be read"),
        ("a.csv", ("--sample-by", "line"), "sample_by='line' means nothing for csv"),
        ("n.jsonl", ("--text", "n"), "has no text"),
        ("cut.txt.gz", (), "cut"),
    ],
)
def test_what_cannot_be_learnt_from(
    name: str, options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "a.csv", [{"text": text} for text in LINES])
    write_jsonl(tmp_path / "n.jsonl", [{"n": 1}, {"n": 2}])
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"some words\n" * 999)[:40])
    out = tmp_path / "out"
    assert said in error_of(
        headway("tokenizer", "train", str(tmp_path / name), *options, "--out", str(out))
    )
    assert not out.exists()
