"""`headway convert`: what it saves and says, and what it refuses with nothing written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import headway as package
from headway.windows import window_texts

from .calls import document, error_of, headway
from .tiny import LONGEST

SIZES = ("--positions", "128", "--window", "32")
TEXT = "late broken thanks word1 " * 60


def test_a_long_model_is_saved_and_used(model: str, tmp_path: Path) -> None:
    out = str(tmp_path / "long")
    result = headway("convert", model, "--positions", "256", "--window", "32", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"Saved in {out}: reads texts of 256 tokens, 64 before",
        f"Next: headway adapt {out} DATA --out runs/long",
    ]
    assert "positions: 64 copied 4 times, to 256" in result.stderr
    assert "each token sees 16 before it and 16 behind it" in result.stderr
    long = package.load(out)
    assert long.need_tokenizer().max_length == long.longest == 256
    assert [len(text.ids) for text in window_texts(long.tokenizer, [TEXT], size=long.longest)] == [
        1
    ]
    assert long.embed([TEXT, "late"]).shape == (2, 32)


def test_json(model: str, tmp_path: Path) -> None:
    out = str(tmp_path / "long")
    told = document(headway("convert", model, *SIZES, "--out", out, "--json"))
    notes = told.pop("notes")
    assert told == {
        "folder": out,
        "from": {"architecture": "bert", "positions": LONGEST},
        "to": {"architecture": "longformer", "positions": 128, "window": 32},
        "head": None,
        "parameters": sum(p.numel() for p in package.load(out).body.parameters()),
    }
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--positions", "100"), "positions = 100, and the model has 64. Allowed: a multiple of"),
        (("--positions", "64"), "positions = 64, and the model has 64"),
        (("--positions", "128", "--window", "9"), "window = 9. Allowed: an even number from 4"),
        (("--positions", "many"), "'many' is not a valid integer"),
        ((), "Missing option '--positions'"),
    ],
)
def test_wrong_sizes_write_nothing(
    model: str, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    assert said in error_of(headway("convert", model, "--out", str(tmp_path / "long"), *options))
    assert not list(tmp_path.iterdir())


def test_what_is_long_already_is_refused(model: str, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first"), tmp_path / "second"
    assert headway("convert", model, *SIZES, "--out", first).exit_code == 0
    told = error_of(headway("convert", first, "--positions", "256", "--out", str(second)))
    assert "this longformer reads texts of 128 tokens already" in told
    assert not second.exists()


def test_the_model_is_not_written_over(model: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    told = error_of(headway("convert", str(folder), *SIZES, "--out", str(folder)))
    assert "--out is the folder of the MODEL itself" in told
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_of_something_else_is_left_alone(model: str, tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text(json.dumps({"mine": True}))
    told = error_of(headway("convert", model, *SIZES, "--out", str(tmp_path)))
    assert "is not empty and holds no model" in told
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]
