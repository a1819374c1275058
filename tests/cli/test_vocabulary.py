from __future__ import annotations

from pathlib import Path

import pytest

from headway import load

from .calls import document, error_of, headway
from .tiny import write_csv


def corpus(folder: Path) -> str:
    """Texts with a word that a tiny vocabulary cuts."""
    rows = [{"text": f"the myocarditis of case {n}", "label": "a"} for n in range(30)]
    rows += [{"text": "one pericarditis here today", "label": "b"}] * 3
    return str(write_csv(folder / "corpus.csv", rows))


def test_words_are_added_counted_and_saved(model: str, tmp_path: Path) -> None:
    out = tmp_path / "more"
    (tmp_path / "words.txt").write_text("pericarditis\n\n", "utf-8")
    shown = headway(
        "vocabulary", "add", model, "myocarditis", "--words-file", str(tmp_path / "words.txt"),
        "--from", corpus(tmp_path), "--out", str(out),
    )  # fmt: skip
    assert shown.exit_code == 0, shown.stderr
    assert "1 of 2 words come less than 20 times" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80 + len(str(out))
    new = load(out)
    assert "myocarditis" in new.need_tokenizer().encode("the myocarditis").tokens
    assert headway("adapt", str(out), corpus(tmp_path), "--out", str(tmp_path / "run"), "--epochs",
                   "1", "--precision", "fp32").exit_code == 0  # fmt: skip


def test_the_words_that_shorten_the_texts_are_found(model: str, tmp_path: Path) -> None:
    found = document(
        headway("vocabulary", "add", model, "--from", corpus(tmp_path), "--most", "9", "--out",
                str(tmp_path / "more"), "--json")
    )  # fmt: skip
    words = {word["word"]: word for word in found["words"]}
    assert words["myocarditis"]["count"] == 30 and not words["myocarditis"]["rare"]
    assert "pericarditis" not in words  # three times are too few
    assert found["tokens"]["now"] == found["tokens"]["before"] + len(words)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Allowed: WORDs, --words-file FILE, or --most N with --from DATA"),
        (("word", "--most", "3"), "Allowed: WORDs"),
        (("--most", "3"), "Allowed: WORDs"),
        (("--words-file", "/no/where"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_said(
    model: str, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    error = error_of(headway("vocabulary", "add", model, *options, "--out", str(tmp_path / "x")))
    assert said in " ".join(error.split())
    assert not (tmp_path / "x").exists()


def test_a_model_is_not_written_over(model: str) -> None:
    assert "the folder of the MODEL itself" in error_of(
        headway("vocabulary", "add", model, "word", "--out", model)
    )
