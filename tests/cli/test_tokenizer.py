from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.style import Style
from rich.text import Text

from headway.cli.tokenizer import convert
from headway.tokenizer import Tokenizer
from headway.tokenizer.formats.export import WRITERS

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


@pytest.fixture
def pieces(tmp_path: Path) -> str:
    """A file with the vocabulary of a BERT that has pieces of words."""
    path = tmp_path / "vocab.txt"
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "word1", "word2", "##word3", "thanks", ","]
    path.write_text("\n".join(tokens) + "\n", "utf-8")
    return str(path)


def test_show_says_each_token_with_its_place(pieces: str) -> None:
    result = headway("tokenizer", "show", pieces, TEXT, "--pair", "word2 b")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["11", "tokens,", "3", "special,", "2", "unknown"]
    assert lines[2] == ["[CLS]│Thanks│,│", "│word1│", "│☃│", "│word2┊word3│[SEP]"]
    assert lines[3] == ["word2│", "│b│[SEP]"]
    assert ["thanks", "7", "0-6", "0", "Thanks", "⇒", "thanks", "0-6"] in lines
    assert ["[UNK]", "0", "14-15", "3", "☃", "14-17"] in lines
    assert ["##word3", "6", "21-26", "4", "word3", "23-28"] in lines
    assert ["[CLS]", "1"] in lines
    assert ["word2", "5", "0-5", "0", "word2", "0-5"] in lines
    assert "\x1b" not in result.stdout


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A terminal of 80 columns with colours."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return monkeypatch


def styles(line: str) -> dict[str, Style]:
    """The style of each part of a line; of equal parts, of the last one."""
    text = Text.from_ansi(line)
    return {text.plain[s.start : s.end]: s.style for s in text.spans if isinstance(s.style, Style)}


def test_show_colours_tokens_and_underlines_what_goes_on_with_a_word(
    terminal: pytest.MonkeyPatch, pieces: str
) -> None:
    shown = headway("tokenizer", "show", pieces, "word1 word2word3 ☃ [MASK]").stdout.splitlines()[2]
    assert Text.from_ansi(shown).plain == "[CLS]word1·word2word3·☃·[MASK][SEP]"
    found = styles(shown)
    backgrounds = [found[part].bgcolor for part in ("word1", "word2", "word3")]
    assert None not in backgrounds
    assert len({*backgrounds}) == 3
    assert [bool(found[part].underline) for part in ("word1", "word2", "word3")] == [0, 0, 1]
    red = found["☃"].bgcolor
    assert red is not None and red.number == 160
    for part in ("[CLS]", "·", "[MASK]", "[SEP]"):
        assert found[part].dim and found[part].bgcolor is None


def test_show_without_colours_where_nobody_wants_them(
    terminal: pytest.MonkeyPatch, pieces: str
) -> None:
    terminal.setenv("NO_COLOR", "1")
    shown = headway("tokenizer", "show", pieces, "word1 word2word3").stdout.splitlines()
    assert Text.from_ansi(shown[2]).plain == "[CLS]│word1│ │word2┊word3│[SEP]"
    assert not any(
        style.color or style.bgcolor for line in shown for style in styles(line).values()
    )


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("coloured", [True, False])
def test_show_fits_the_terminal(
    terminal: pytest.MonkeyPatch, model: str, columns: int, coloured: bool
) -> None:
    terminal.setenv("COLUMNS", str(columns))
    if not coloured:
        terminal.delenv("FORCE_COLOR")
    text = "word1 你好世界 " * 9 + "e\u0301 👩\u200d💻 " * 5 + "x" * 100
    lines = headway("tokenizer", "show", model, text).stdout.splitlines()
    plain = [Text.from_ansi(line) for line in lines]
    assert max(line.cell_len for line in plain) <= columns
    end = next(i for i, line in enumerate(plain[2:], 2) if not line.plain)
    joined = "".join(line.plain for line in plain[2:end])
    # Every character of the text is drawn once: lines are cut, nothing is left out.
    drawn = joined.removeprefix("[CLS]").removesuffix("[SEP]")
    assert [c for c in drawn if c not in " ·│┊◌"] == [c for c in text if c != " "]


def test_show_makes_visible_what_has_no_shape(model: str) -> None:
    text = "a\tb\nc \0 \u200e\xa0\u0301"
    lines = headway("tokenizer", "show", model, text, "--no-special").stdout.splitlines()
    assert lines[2:4] == ["a│→│b│↵", "c│ ␀ ‹200E›‹A0›\u0301"]


def test_show_draws_each_token_of_a_character(tmp_path: Path) -> None:
    document = {
        "version": "1.0",
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "use_regex": False},
        "post_processor": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": False,
        },
        "model": {
            "type": "BPE",
            "vocab": {c: i for i, c in enumerate(["Ġ", "Ã", "©", "x"])},
            "merges": [],
        },
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(document), "utf-8")
    lines = headway("tokenizer", "show", str(path), "xé", "x  é").stdout.splitlines()
    assert (lines[0], lines[2]) == ("4 tokens", "∅┊x┊é┊…")
    second = lines.index("6 tokens")
    assert lines[second + 2] == "∅┊x│ ┊∅│ ┊∅┊é┊…"
    rows = [line.split() for line in lines[:second]]
    assert rows[-4:-1] == [
        ["x", "3", "0-1", "0", "x", "0-1"],
        ["Ã", "1", "1-2", "0", "é", "1-3"],
        ["©", "2", "1-2", "0", "é", "1-3"],
    ]


def test_show_sets_normalized_pieces_beside_their_originals(tmp_path: Path) -> None:
    document = {
        "version": "1.0",
        "normalizer": {"type": "NFKC"},
        "model": {"type": "BPE", "vocab": {"1": 0, "\u2044": 1, "2": 2, "a": 3}, "merges": []},
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(document), "utf-8")
    rows = [
        line.split() for line in headway("tokenizer", "show", str(path), "a½").stdout.split("\n")
    ]
    assert ["a", "3", "0-1", "0", "a", "0-1"] in rows
    assert ["1", "0", "1-2", "0", "½", "⇒", "1\u20442", "1-3"] in rows


def test_show_as_a_document(model: str, reference: Tokenizer) -> None:
    options = ["--no-special", "--pair", "é word1", "--json"]
    (told,) = document(headway("tokenizer", "show", model, TEXT, *options))
    encoding = reference.encode(TEXT, "é word1", special=False)
    assert told["text"] == TEXT
    assert told["ids"] == encoding.ids
    assert told["offsets"] == [list(span) for span in encoding.offsets]
    sources = [[TEXT, "é word1"][which or 0].encode() for which in encoding.sequence_ids]
    pieces = [
        data[start:end] for data, (start, end) in zip(sources, told["byte_offsets"], strict=True)
    ]
    assert pieces[3:5] == ["☃".encode(), b"word2word3"]
    assert pieces[-2:] == ["é".encode(), b"word1"]
    (told,) = document(headway("tokenizer", "show", model, "é", "--json"))
    assert told["byte_offsets"] == [[0, 0], [0, 2], [0, 0]]


def test_what_has_no_tokenizer_is_said(tmp_path: Path) -> None:
    assert "does not exist" in error_of(headway("tokenizer", "show", str(tmp_path / "x"), "a"))
    assert "has no tokenizer" in error_of(headway("tokenizer", "show", str(tmp_path), "a"))
    assert "pkg:not-here" in error_of(headway("tokenizer", "show", "pkg:not_here", "a"))


def test_a_package_may_carry_a_tokenizer_and_no_model(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for name, content in {
        "words/vocab.txt": (Path(model) / "vocab.txt").read_text(),
        "words-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: words\nVersion: 1.0\n",
        "words-1.0.dist-info/RECORD": "words/vocab.txt,,\nwords-1.0.dist-info/METADATA,,\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    expected = headway("tokenizer", "encode", model + "/vocab.txt", TEXT).stdout
    for name in ("pkg:words", "pkg:words/vocab.txt"):
        assert headway("tokenizer", "encode", name, TEXT).stdout == expected
    (tmp_path / "words/vocab.txt").rename(tmp_path / "words/other.txt")
    assert "carries no folder with config.json" in error_of(
        headway("tokenizer", "encode", "pkg:words", TEXT)
    )


def test_convert_writes_files_that_give_the_same_ids(
    model: str, reference: Tokenizer, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    result = headway("tokenizer", "convert", model, "--to", "wordpiece", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"Written into {out}: tokenizer_config.json, vocab.txt\n"
    assert Tokenizer.load(out).encode(TEXT).ids == reference.encode(TEXT).ids
    told = document(
        headway("tokenizer", "convert", model, "--to", "json", "--out", out + "2", "--json")
    )
    names = ["tokenizer.json", "tokenizer_config.json"]
    assert told == {"folder": out + "2", "files": names, "size": len(reference)}
    assert sorted(path.name for path in Path(out + "2").iterdir()) == names


def test_convert_refuses_what_a_format_cannot_say(model: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = ("tokenizer", "convert", model, "--to", "bpe", "--out", str(out))
    assert "merges are of BPE, and this tokenizer is of 'WordPiece'" in error_of(headway(*call))
    assert not out.exists()
    out.write_text("")
    assert "is a file" in error_of(headway(*call))


def test_convert_knows_every_format() -> None:
    (to,) = [option for option in convert.params if option.name == "format"]
    assert sorted(to.type.to_info_dict()["choices"]) == sorted([*WRITERS, "json"])
