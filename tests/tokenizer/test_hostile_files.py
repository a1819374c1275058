"""Damaged and hostile files: a TokenizerError that says what is wrong, and nothing else."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import TokenizerError
from headway.tokenizer import Tokenizer
from headway.tokenizer.decoders import DECODERS
from headway.tokenizer.models import MODELS
from headway.tokenizer.normalizers import NORMALIZERS
from headway.tokenizer.postprocessors import POSTPROCESSORS
from headway.tokenizer.pretokenizers import PRETOKENIZERS

from .oracles import TRAINING, random_peer

WORDPIECE = {
    "type": "WordPiece",
    "vocab": {"[UNK]": 0, "a": 1, "##b": 2},
    "unk_token": "[UNK]",
    "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100,
}
BPE = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
UNIGRAM = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]]}


def document(model: Any = WORDPIECE, **parts: Any) -> dict[str, Any]:
    return {"version": "1.0", "added_tokens": [], "model": model, **parts}


BAD_DOCUMENTS: dict[str, tuple[Any, str]] = {
    "a list": ([], "holds a list"),
    "a number": (3, "holds a int"),
    "no model": ({"version": "1.0"}, "no field 'model'"),
    "a null model": (document(None), "has no model"),
    "a model that is text": (document("WordPiece"), "model is 'WordPiece', not an object"),
    "another version": (document() | {"version": "2.0"}, "version '2.0'"),
    "an unknown model": (document({"type": "WordPeice"}), "did you mean 'WordPiece'"),
    "an unknown normalizer": (document(normalizer={"type": "NFX"}), "unknown kind 'NFX'"),
    "an unknown pre-tokenizer": (document(pre_tokenizer={"type": "X"}), "pre_tokenizer .* 'X'"),
    "an unknown post-processor": (document(post_processor={"type": "X"}), "post_processor .* 'X'"),
    "an unknown decoder": (document(decoder={"type": "X"}), "decoder .* 'X'"),
    "a kind that is a number": (document(decoder={"type": 3}), "decoder.type is 3"),
    "unknown inside a sequence": (
        document(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Q"}]}),
        r"normalizer\.normalizers\[1\] is of the unknown kind 'Q'",
    ),
    "a vocabulary that is a list": (document(WORDPIECE | {"vocab": ["a"]}), "model.vocab is"),
    "an id that is text": (document(WORDPIECE | {"vocab": {"a": "1"}}), "'a': '1'"),
    "an id below zero": (document(WORDPIECE | {"vocab": {"a": -1}}), "whole number"),
    "an id without end": (document(WORDPIECE | {"vocab": {"a": 10**30}}), "4294967295"),
    "an id that is true": (document(WORDPIECE | {"vocab": {"a": True}}), "whole number"),
    "an id that is a fraction": (document(WORDPIECE | {"vocab": {"a": 1.5}}), "whole number"),
    "one id for two": (document(WORDPIECE | {"vocab": {"a": 1, "b": 1}}), "to 'a' and to 'b'"),
    "half a surrogate pair": (document(WORDPIECE | {"vocab": {"\ud800": 1}}), "lone surrogate"),
    "no prefix": (document({**WORDPIECE, "continuing_subword_prefix": None}), "prefix is None"),
    "words of minus one": (document(WORDPIECE | {"max_input_chars_per_word": -1}), ">= 0"),
    "a merge of unknown": (document(BPE | {"merges": [["a", "z"]]}), "needs the token 'z'"),
    "a merge into unknown": (document(BPE | {"merges": [["b", "a"]]}), "needs the token 'ba'"),
    "a merge of three": (document(BPE | {"merges": ["a b c"]}), "allowed: two tokens"),
    "a merge of numbers": (document(BPE | {"merges": [[1, 2]]}), "two tokens"),
    "dropout": (document(BPE | {"dropout": 0.1}), "dropout is 0.1"),
    "an unknown id outside": (document(UNIGRAM | {"unk_id": 2}), "unk_id is 2"),
    "a score that is no number": (document(UNIGRAM | {"vocab": [["a", float("nan")]]}), "finite"),
    "a score that is text": (document(UNIGRAM | {"vocab": [["a", "1"]]}), "finite"),
    "added tokens in an object": (document() | {"added_tokens": {"a": 1}}, "added_tokens is"),
    "an added token without id": (document() | {"added_tokens": [{"content": "x"}]}, "field 'id'"),
    "an added token that is text": (document() | {"added_tokens": ["x"]}, r"added_tokens\[0\]"),
    "a pattern that does not close": (
        document(
            pre_tokenizer={
                "type": "Split",
                "pattern": {"Regex": "(a"},
                "behavior": "Isolated",
                "invert": False,
            }
        ),
        "regular expression '\\(a'",
    ),
    "a behavior unheard of": (
        document(pre_tokenizer={"type": "Punctuation", "behavior": "Explode"}),
        "'Explode'.*MergedWithNext",
    ),
    "rules that are not base64": (
        document(normalizer={"type": "Precompiled", "precompiled_charsmap": "%%%"}),
        "not base64",
    ),
    "rules that end early": (
        document(normalizer={"type": "Precompiled", "precompiled_charsmap": "//8AAAAA"}),
        "do not hold their trie",
    ),
    "a template with an unknown token": (
        document(
            post_processor={
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}],
                "pair": [],
                "special_tokens": {},
            }
        ),
        r"post_processor\.single\[0\]",
    ),
    "a template with a text too many": (
        document(
            post_processor={
                "type": "TemplateProcessing",
                "single": [{"Sequence": {"id": "B", "type_id": 0}}],
                "pair": [],
                "special_tokens": {},
            }
        ),
        "second text",
    ),
    "a separator of one": (
        document(post_processor={"type": "BertProcessing", "cls": ["a"], "sep": ["b", 1]}),
        "cls is",
    ),
    "steps of zero": (document(pre_tokenizer={"type": "FixedLength", "length": 0}), "length is 0"),
    "two opinions on a prefix": (
        document(
            pre_tokenizer={
                "type": "Metaspace",
                "replacement": "▁",
                "add_prefix_space": False,
                "prepend_scheme": "always",
            }
        ),
        "add_prefix_space false",
    ),
}


PARTS: dict[str, dict[str, Any]] = {
    "normalizer": {"type": "NFC"},
    "pre_tokenizer": {"type": "WhitespaceSplit"},
    "post_processor": {"type": "BertProcessing", "cls": ["a", 1], "sep": ["a", 1]},
    "decoder": {"type": "Fuse"},
    "model": WORDPIECE,
}
INSIDE = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}


@pytest.mark.parametrize("part", PARTS)
def test_an_unknown_field_of_a_part(part: str) -> None:
    Tokenizer.from_document(document() | {part: PARTS[part]})
    wrong = {**PARTS[part], "lower_case": True}
    with pytest.raises(TokenizerError, match=f"^{part} has the unknown field 'lower_case'.*type"):
        Tokenizer.from_document(document() | {part: wrong})
    if part in INSIDE:
        inner = {"type": "Sequence", INSIDE[part]: [PARTS[part], wrong]}
        place = rf"{part}\.{INSIDE[part]}\[1\]"
        with pytest.raises(TokenizerError, match=f"{place} has the unknown field 'lower_case'"):
            Tokenizer.from_document(document() | {part: inner})


def test_an_unknown_field_is_told_the_nearest_one() -> None:
    wrong = {"type": "Metaspace", "replacement": "▁", "prepend_schema": "always"}
    with pytest.raises(TokenizerError, match="did you mean 'prepend_scheme'"):
        Tokenizer.from_document(document(pre_tokenizer=wrong))


def nested(levels: int) -> dict[str, Any]:
    steps: dict[str, Any] = {"type": "NFC"}
    for _ in range(levels):
        steps = {"type": "Sequence", "normalizers": [steps]}
    return document(normalizer=steps)


def test_steps_inside_of_steps() -> None:
    assert Tokenizer.from_document(nested(20)).encode("a").ids == [1]
    with pytest.raises(TokenizerError, match="without end"):
        Tokenizer.from_document(nested(2_000))


def test_fields_of_another_model_are_left_alone() -> None:
    model = {**BPE, "unk_id": 7, "unk_token": None}
    assert Tokenizer.from_document(document(model)).special == {}
    model = {**UNIGRAM, "unk_token": ["<unk>"]}
    assert Tokenizer.from_document(document(model)).special == {"unk": "<unk>"}


def test_half_a_surrogate_pair_in_a_field_of_another_program(tmp_path: Path) -> None:
    tok = Tokenizer.from_document(document() | {"made_by": "\ud800"})
    tok.save(tmp_path)
    assert json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))["made_by"] == "\ud800"
    assert Tokenizer.load(tmp_path).encode("a").ids == [1]


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_bad_document(name: str, tmp_path: Path) -> None:
    content, message = BAD_DOCUMENTS[name]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(TokenizerError, match=f"(?is){message}") as caught:
        Tokenizer.load(path)
    assert str(path) in str(caught.value)


BAD_FILES: dict[str, tuple[dict[str, bytes], str]] = {
    "nothing": ({}, "has no tokenizer"),
    "cut JSON": ({"tokenizer.json": b'{"model": {"type"'}, "not JSON.*line 1"),
    "empty": ({"tokenizer.json": b""}, "not JSON"),
    "bytes": ({"tokenizer.json": b"\xff\xfe\x00"}, "not UTF-8"),
    "JSON without end": ({"tokenizer.json": b"[" * 200_000}, "no sane JSON"),
    "a number without end": ({"tokenizer.json": b"1" * 10_000}, "no sane JSON"),
    "a pickle": ({"tokenizer.json": b"\x80\x04cos\nsystem\n(S'true'\ntR."}, "not UTF-8"),
    "no unknown token": ({"vocab.txt": b"a\nb\n"}, r"no token \[UNK\]"),
    "an empty vocab.txt": ({"vocab.txt": b""}, r"no token \[UNK\]"),
    "no merges": ({"vocab.json": b'{"a": 0}'}, "merges.txt beside it"),
    "merges of three": (
        {"vocab.json": b'{"a": 0}', "merges.txt": b"#version: 0.2\na b c\n"},
        "line 2",
    ),
    "merges of another": (
        {"vocab.json": b'{"a": 0}', "merges.txt": b"x y\n"},
        "needs the token 'x'",
    ),
    "a vocabulary that is a list": ({"vocab.json": b"[]", "merges.txt": b""}, "holds a list"),
    "CLIP": (
        {"vocab.json": b'{"a</w>": 0, "<|startoftext|>": 1}', "merges.txt": b""},
        r"no token <\|endoftext\|>",
    ),
    "two models": ({"a.model": b"", "b.model": b""}, "2 tokenizers: a.model, b.model"),
    "an empty model": ({"a.model": b""}, "0 unknown pieces"),
    "a model that is none": ({"a.model": b"PK\x03\x04zip"}, "protocol buffer"),
    "a bad configuration": (
        {"vocab.txt": b"[UNK]\n", "tokenizer_config.json": b'{"do_lower_case": "yes"}'},
        "do_lower_case is 'yes'",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(name: str, tmp_path: Path) -> None:
    files, message = BAD_FILES[name]
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    with pytest.raises(TokenizerError, match=f"(?is){message}"):
        Tokenizer.load(tmp_path)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="does not exist"):
        Tokenizer.load(tmp_path / "tokenizer.json")
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(TokenizerError, match="no tokenizer's file by its name"):
        Tokenizer.load(tmp_path / "model.bin")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
DICTS: dict[str, dict[str, Any]] = {
    "normalizer": NORMALIZERS,
    "pre_tokenizer": PRETOKENIZERS,
    "post_processor": POSTPROCESSORS,
    "decoder": DECODERS,
    "model": MODELS,
}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_field(draws: st.DataObject) -> None:
    rng = random.Random(draws.draw(st.integers(0, 10)))
    content = TRAINED[rng.randrange(len(TRAINED))]()
    mutate(content, lambda: draws.draw(JSON), random.Random(draws.draw(st.integers(0, 10**6))))
    try:
        tok = Tokenizer.from_document(content)
        tok.decode(tok.encode("a b é <s> ab", "c").ids)
    except TokenizerError:
        pass


@given(st.sampled_from([*DICTS]), st.data())
@settings(max_examples=200, deadline=None)
def test_any_fields_of_a_known_kind(part: str, draws: st.DataObject) -> None:
    kind = draws.draw(st.sampled_from([*DICTS[part]]))
    fields = draws.draw(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
    content = document() | {part: {**fields, "type": kind}}
    try:
        tok = Tokenizer.from_document(content)
        tok.decode(tok.encode("a b é <s> ab", "c").ids)
    except TokenizerError:
        pass


NAMES = [
    *("vocab", "merges", "unk_token", "unk_id", "pattern", "content", "behavior", "invert", "sep"),
    *("cls", "single", "pair", "special_tokens", "normalizers", "pretokenizers", "processors"),
    *("decoders", "prefix", "suffix", "cleanup", "replacement", "prepend_scheme", "split", "start"),
    *("stop", "strip_left", "strip_right", "lowercase", "strip_accents", "clean_text", "length"),
    *("precompiled_charsmap", "prepend", "delimiter", "add_prefix_space", "trim_offsets"),
]


def mutate(content: dict[str, Any], value: Callable[[], Any], rng: random.Random) -> None:
    """Puts a value somewhere into a document, or takes something out."""
    place: Any = content
    while True:
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        key = rng.choice(keys[:40])
        inner = place[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
            place = inner
            continue
        if rng.random() < 0.2:
            del place[key]
        else:
            place[key] = value()
        return


def _trained(kind: str) -> Callable[[], dict[str, Any]]:
    content = json.loads(random_peer(random.Random(f"hostile {kind}"), kind).to_str())
    return lambda: copy.deepcopy(content)


TRAINED = [_trained(kind) for kind in ("wordpiece", "bpe", "unigram", "wordlevel")]


def test_every_cut_of_a_document_is_refused(tmp_path: Path) -> None:
    whole = json.dumps(TRAINED[1](), ensure_ascii=False).encode()
    path = tmp_path / "tokenizer.json"
    for length in random.Random(0).sample(range(len(whole)), 40):
        path.write_bytes(whole[:length])
        with pytest.raises(TokenizerError):
            Tokenizer.load(path)
    path.write_bytes(whole)
    assert Tokenizer.load(path).encode(TRAINING[0]).ids
