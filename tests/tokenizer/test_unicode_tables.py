"""The frozen sets of characters are the ones that the `tokenizers` package applies."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import regex
from tokenizers import Regex, normalizers
from tokenizers import pre_tokenizers as pre

from headway.tokenizer import unicode_tables as tables
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.normalizers import build_normalizer
from headway.tokenizer.scripts import script_runs

from . import characters

EVERY, OF_PLANES = "".join(characters.EVERY), "".join(characters.OF_PLANES)
BERT = {"handle_chinese_chars": False, "strip_accents": False, "lowercase": False}


def removed(splitter: pre.PreTokenizer) -> frozenset[str]:
    """The characters at which a pre-tokenizer that removes them cuts."""
    kept = "".join(piece for piece, _ in splitter.pre_tokenize_str(OF_PLANES))
    return frozenset(OF_PLANES) - frozenset(kept)


def test_fixed_sets() -> None:
    assert tables.character_set(tables.WHITESPACE) == removed(pre.WhitespaceSplit())
    assert tables.character_set(tables.PUNCTUATION) == removed(pre.Punctuation("removed"))
    clean = normalizers.BertNormalizer(clean_text=True, **BERT)
    kept = frozenset(clean.normalize_str(EVERY))
    control = {c for c in EVERY if c not in kept and not clean.normalize_str(c)}
    assert tables.character_set(tables.CONTROL) == control
    marks = frozenset(EVERY) - frozenset(normalizers.StripAccents().normalize_str(EVERY))
    assert tables.character_set(tables.COMBINING_MARKS) == marks
    runs = [piece for piece, _ in pre.Digits(individual_digits=False).pre_tokenize_str(OF_PLANES)]
    assert not runs[0][0].isdigit()
    assert tables.character_set(tables.NUMERIC) == frozenset("".join(runs[1::2]))


def test_nonspacing_marks() -> None:
    strip = normalizers.BertNormalizer(False, False, True, False)
    nfd = normalizers.NFD()
    marks = tables.character_set(tables.NONSPACING_MARKS)
    for character in OF_PLANES:
        if not character.isspace() and nfd.normalize_str(character) == character:
            assert (strip.normalize_str(f"a{character}") == "a") == (character in marks)
    assert strip.normalize_str("".join(f"a{mark}" for mark in sorted(marks))) == "a" * len(marks)


def test_patterns_know_no_character_that_the_peer_does_not() -> None:
    """A newer `regex` that fails this needs its new characters in UNICODE_17_AND_LATER."""
    unassigned = removed(pre.Split(Regex(r"\p{Cn}"), "removed"))
    newer = regex.findall(r"\P{Cn}", "".join(unassigned))
    assert set(newer) == tables.character_set(tables.UNICODE_17_AND_LATER)


@pytest.mark.parametrize("kind", ["Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "StripAccents"])
def test_every_character_through_a_normalizer(kind: str) -> None:
    ours, theirs = build_normalizer({"type": kind}), getattr(normalizers, kind)()
    # Between letters, so that no two of the characters touch.
    text = "a".join(OF_PLANES)
    for start in range(0, len(text), 200_000):
        part = text[start : start + 200_000]
        assert ours(AlignedText(part)).text == theirs.normalize_str(part)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["NFC", "NFKD"])
def test_every_character_between_two_marks(kind: str) -> None:
    ours, theirs = build_normalizer({"type": kind}), getattr(normalizers, kind)()
    text = "".join(f"a\u0345{character}\u0334" for character in OF_PLANES)
    for start in range(0, len(text), 200_000):
        part = text[start : start + 200_000]
        assert ours(AlignedText(part)).text == theirs.normalize_str(part)


def test_scripts() -> None:
    text = "".join(EVERY[i] + "я" * (i % 2) for i in range(0, len(EVERY), 7)) + "ab カひー 한"
    pieces = [piece for piece, _ in pre.UnicodeScripts().pre_tokenize_str(text)]
    assert [text[start:end] for start, end in script_runs(text)] == pieces
    assert script_runs("  ") == []


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\w", r"\W", r"\d", r"\s", r"\S", r"\h", r"[\w]", r"[^\w]", r"[\W]", r"[\h]", r"\p{L}"),
        *("[[:alnum:]]", "[[:punct:]]", "[[:word:]]", "[[:alpha:]]", "[[:space:]]", r"\p{N}+"),
        *(r"\p{Han}", r"[^\s\p{L}\p{N}]", r"(?i)[sk]", r"\p{P}", r"\p{M}", r"\p{Lu}", r"\p{Ll}"),
    ],
)
def test_sets_in_patterns(pattern: str) -> None:
    from headway.tokenizer.pretokenizers import build_pretokenizer

    ours = build_pretokenizer(
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": False}
    )
    text = EVERY[:0x30000].replace("\u0295", "")  # moved from Ll to Lo in Unicode 17
    theirs = pre.Split(Regex(pattern), "removed").pre_tokenize_str(text)
    assert [piece.text for piece in ours(AlignedText(text))] == [piece for piece, _ in theirs]


SCRIPT = Path(__file__).parents[2] / "scripts" / "unicode_tables"


@pytest.mark.parametrize(
    "section",
    [
        *("LOWERCASE", "NORMAL_FORMS", "SCRIPTS"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("CLASSES", "GRAPHEME_BREAKS")),
    ],
)
def test_the_native_tables_are_what_the_script_writes(section: str) -> None:
    script = runpy.run_path(str(SCRIPT))
    written = script["OUTPUT"].read_text("ascii")
    assert f"#ifdef HEADWAY_{section}\n{script['SECTIONS'][section]()}#endif\n" in written
    assert written.count("#ifdef") == len(script["SECTIONS"]) == 5
