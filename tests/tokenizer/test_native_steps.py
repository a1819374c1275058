"""Each native step gives what its readable twin gives, for characters of all kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from headway.tokenizer import Tokenizer, _native
from headway.tokenizer.aligned_text import AlignedText
from headway.tokenizer.native_steps import (
    NORMALIZERS,
    PRETOKENIZERS,
    native_normalizer,
    native_pretokenizer,
    spm_normalizer,
)
from headway.tokenizer.normalizers import build_normalizer
from headway.tokenizer.pretokenizers import BEHAVIORS, build_pretokenizer
from headway.tokenizer.sentencepiece_models import SpmUnigram
from headway.tokenizer.split_patterns import GPT_2, GPT_4, GPT_4O, QWEN_2

from .characters import borders, most
from .oracles import data


def texts(characters: list[str], size: int = 5_000) -> Iterable[str]:
    """Each character before a letter, between spaces, and behind a letter."""
    for i in range(0, len(characters), size):
        yield "".join(f"{c}a {c} b{c}" for c in characters[i : i + size])


def bert(lowercase: bool, accents: bool | None) -> dict[str, Any]:
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": accents,
        "lowercase": lowercase,
    }


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


NORMALIZER_STEPS: dict[str, dict[str, Any]] = {
    **{kind: {"type": kind} for kind in ("ByteLevel", "Lowercase", "Nmt", "StripAccents")},
    **{kind: {"type": kind} for kind in ("NFC", "NFD", "NFKC", "NFKD")},
    "BERT": bert(True, None),
    "BERT cased": bert(False, None),
    "BERT cased, no accents": bert(False, True),
    "Prepend": {"type": "Prepend", "prepend": "▁"},
    "Strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "Replace a string": replace({"String": "a "}, "é"),
    "Replace spaces": replace({"Regex": " {2,}"}, "_"),
    "Replace a pattern": replace({"Regex": r"\s|\p{M}"}, "_"),
    "Sequence": {
        "type": "Sequence",
        "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}],
    },
}


def split(pattern: str, behavior: str = "Isolated", invert: bool = False) -> dict[str, Any]:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": behavior,
        "invert": invert,
    }


def byte_level(prefix: bool, words: bool) -> dict[str, Any]:
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix,
        "use_regex": words,
        "trim_offsets": True,
    }


PRETOKENIZER_STEPS: dict[str, dict[str, Any]] = {
    **{kind: {"type": kind} for kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")},
    "UnicodeScripts": {"type": "UnicodeScripts"},
    **{f"Punctuation {b}": {"type": "Punctuation", "behavior": b} for b in BEHAVIORS},
    "Digits": {"type": "Digits", "individual_digits": False},
    "Digits alone": {"type": "Digits", "individual_digits": True},
    "CharDelimiterSplit": {"type": "CharDelimiterSplit", "delimiter": "e"},
    "FixedLength": {"type": "FixedLength", "length": 3},
    "Metaspace": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
    "ByteLevel": byte_level(False, True),
    "ByteLevel with a space": byte_level(True, False),
    "GPT-2": split(GPT_2),
    "GPT-4": split(GPT_4),
    "GPT-4o": split(GPT_4O),
    "Qwen 2": split(QWEN_2),
    "a pattern": split(r"[^\W\d]+", "Removed", True),
    "Sequence": {
        "type": "Sequence",
        "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation"}],
    },
}


def test_every_kind_is_tested() -> None:
    kinds = {values["type"] for values in NORMALIZER_STEPS.values()}
    assert kinds | {"Precompiled"} == NORMALIZERS.keys()
    assert {values["type"] for values in PRETOKENIZER_STEPS.values()} == PRETOKENIZERS.keys()


def plain(text: AlignedText) -> tuple[str, list[int], list[int]]:
    spans = [text.span(i, i + 1) for i in range(len(text.text))]
    return text.text, [start for start, _ in spans], [end for _, end in spans]


def assert_same_text(twin: Any, native: _native.Normalizer, text: str) -> None:
    ours, theirs = _native.normalize(native, text), plain(twin(AlignedText(text)))
    assert ours == theirs, ascii(text[:60])


def normalize_all(twin: Any, native: _native.Normalizer, characters: list[str]) -> None:
    for text in texts(characters):
        assert_same_text(twin, native, text)
    for character in borders()[::5]:
        assert_same_text(twin, native, character)


def split_all(values: dict[str, Any], characters: list[str]) -> None:
    twin, native = build_pretokenizer(values), native_pretokenizer(values)
    for text in [*texts(characters), *borders()[::5]]:
        pieces = [plain(piece) for piece in twin(AlignedText(text))]
        assert [piece for piece in _native.pre_tokenize(native, text) if piece[0]] == [
            piece for piece in pieces if piece[0]
        ], ascii(text[:60])


@pytest.mark.parametrize("name", NORMALIZER_STEPS)
def test_a_normalizer_on_characters_of_each_kind(name: str) -> None:
    values = NORMALIZER_STEPS[name]
    normalize_all(build_normalizer(values), native_normalizer(values), borders())


@pytest.mark.parametrize("name", PRETOKENIZER_STEPS)
def test_a_pretokenizer_on_characters_of_each_kind(name: str) -> None:
    split_all(PRETOKENIZER_STEPS[name], borders())


@pytest.mark.slow
@pytest.mark.parametrize("name", NORMALIZER_STEPS)
def test_a_normalizer_on_most_characters(name: str) -> None:
    values = NORMALIZER_STEPS[name]
    normalize_all(build_normalizer(values), native_normalizer(values), most())


@pytest.mark.slow
@pytest.mark.parametrize("name", PRETOKENIZER_STEPS)
def test_a_pretokenizer_on_most_characters(name: str) -> None:
    split_all(PRETOKENIZER_STEPS[name], most())


def of_model(name: str) -> tuple[Any, _native.Normalizer, dict[str, Any]]:
    """SentencePiece's normalizer of a .model, both ways, and the rules of its tokenizer.json."""
    tok = Tokenizer.load(data("tokenizer-assets", name))
    model = tok._pipeline.model
    assert isinstance(model, SpmUnigram)
    rules = next(
        step for step in tok._document["normalizer"]["normalizers"] if step["type"] == "Precompiled"
    )
    return tok._pipeline.reference.normalizer, spm_normalizer(model.model), rules


@pytest.mark.parametrize(
    "many", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["borders", "most"]
)
def test_the_rules_of_a_sentencepiece_model(many: bool) -> None:
    twin, native, rules = of_model("t5_tokenizer_base.model")
    characters = most() if many else borders()
    normalize_all(twin, native, characters)
    normalize_all(build_normalizer(rules), native_normalizer(rules), characters)
