from __future__ import annotations

from pathlib import Path

import pytest

from headway.tokenizer import Tokenizer

from .calls import document, error_of, headway

TEXT = "Thanks, word1 ☃ word2word3"


@pytest.fixture
def reference(model: str) -> Tokenizer:
    return Tokenizer.load(model)


@pytest.mark.parametrize("place", ["", "/vocab.txt"], ids=["folder", "file"])
def test_encode_prints_the_ids_of_each_text(model: str, place: str, reference: Tokenizer) -> None:
    result = headway("tokenizer", "encode", model + place, TEXT, "word1")
    lines = [" ".join(map(str, reference.encode(text).ids)) for text in (TEXT, "word1")]
    assert (result.exit_code, result.stdout.splitlines()) == (0, lines)


def test_encode_reads_lines_of_standard_input(model: str, reference: Tokenizer) -> None:
    expected = [reference.encode(text).ids for text in ("word1", "", "word2 ☃")]
    for arguments in ([], ["-"]):
        result = headway("tokenizer", "encode", model, *arguments, input="word1\n\r\nword2 ☃")
        assert [[int(id) for id in line.split()] for line in result.stdout.splitlines()] == expected


def test_encode_with_a_pair_and_without_special_tokens(model: str, reference: Tokenizer) -> None:
    options = ["--pair", "word2", "--no-special", "--json"]
    (told,) = document(headway("tokenizer", "encode", model, TEXT, *options))
    encoding = reference.encode(TEXT, "word2", special=False)
    assert told == {
        "ids": encoding.ids,
        "tokens": encoding.tokens,
        "offsets": [list(span) for span in encoding.offsets],
        "word_ids": encoding.word_ids,
    }
    assert document(headway("tokenizer", "encode", model, "--special", "a", "--json"))[0][
        "tokens"
    ] == ["[CLS]", "[UNK]", "[SEP]"]


def test_decode(model: str, reference: Tokenizer) -> None:
    ids = [str(id) for id in reference.encode("thanks word1").ids]
    assert headway("tokenizer", "decode", model, *ids).stdout == "thanks word1\n"
    assert headway("tokenizer", "decode", model, "--skip-special", *ids).stdout == "thanks word1\n"
    kept = headway("tokenizer", "decode", model, "--keep-special", ",".join(ids))
    assert kept.stdout == "[CLS] thanks word1 [SEP]\n"
    lines = f"{' '.join(ids)}\n\n{ids[1]}\n"
    told = document(headway("tokenizer", "decode", model, "--json", input=lines))
    assert told == ["thanks word1", "", "thanks"]


@pytest.mark.parametrize(
    ("ids", "said"),
    [(["x1"], "'x1' is no id. Allowed: whole numbers."), (["-5"], "-5 is no token's number")],
)
def test_decode_refuses_what_is_no_id(model: str, ids: list[str], said: str) -> None:
    assert said in error_of(headway("tokenizer", "decode", model, *ids))


def test_show_says_each_token_with_its_place(model: str) -> None:
    result = headway("tokenizer", "show", model, TEXT, "--pair", "word2 [b]")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[:2] == [["12", "tokens,", "3", "of", "them", "special"], TEXT.split()]
    assert lines[2] == ["word2", "[b]"]
    assert ["thanks", "7", "0-6", "'Thanks'"] in lines
    assert ["[UNK]", "1", "14-15", "'☃'"] in lines
    assert ["[CLS]", "2"] in lines
    assert ["word2", "10", "0-5", "'word2'"] in lines
    assert "\x1b" not in result.stdout


def test_show_colours_neighbouring_tokens_differently(model: str) -> None:
    shown = headway("tokenizer", "show", model, "word1 word2", color=True).stdout.splitlines()[1]
    first, second = shown.split(" ")
    assert first.endswith("word1\x1b[0m") and second.endswith("word2\x1b[0m")
    assert first.split("m")[0] != second.split("m")[0]


def test_show_as_a_document(model: str, reference: Tokenizer) -> None:
    (told,) = document(headway("tokenizer", "show", model, TEXT, "--no-special", "--json"))
    assert told["text"] == TEXT
    assert told["ids"] == reference.encode(TEXT, special=False).ids


def test_what_has_no_tokenizer_is_said(tmp_path: Path) -> None:
    assert "does not exist" in error_of(headway("tokenizer", "show", str(tmp_path / "x"), "a"))
    assert "has no tokenizer" in error_of(headway("tokenizer", "show", str(tmp_path), "a"))
    assert "pkg:not-here" in error_of(headway("tokenizer", "show", "pkg:not_here", "a"))
