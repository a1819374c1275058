"""The steps before the model, as the native engine has them.

NORMALIZERS and PRETOKENIZERS read the same fields as their namesakes in normalizers.py and
pretokenizers.py, which are the readable ones, and give what C++ runs. A regular expression that
nobody has written by hand is matched by Python's `regex`, one call a text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from headway.tokenizer import _native
from headway.tokenizer.checks import Fields
from headway.tokenizer.formats.sentencepiece_model import USER_DEFINED, SpmModel
from headway.tokenizer.patterns import NEWER_THAN_16, find_spans, pattern_of
from headway.tokenizer.pretokenizers import BEHAVIORS, metaspace_scheme
from headway.tokenizer.sentencepiece_models import word_spans

__all__ = [
    "NORMALIZERS",
    "PRETOKENIZERS",
    "gpt2_splitter",
    "native_normalizer",
    "native_pretokenizer",
    "spm_normalizer",
    "spm_pretokenizer",
    "spm_rules",
]

Normalizer = _native.Normalizer
PreTokenizer = _native.PreTokenizer

_MANY = 2**32 - 1


def _finder(fields: Fields) -> _native.Finder:
    """What finds the field `pattern`: {"String": ...} or {"Regex": ...}."""
    written = fields.mapping("pattern")
    if "String" in written:
        return _native.find_text(Fields(written, f"{fields.place}.pattern").text("String"))
    pattern = pattern_of(fields)
    source = written["Regex"]
    if source == " {2,}":
        return _native.find_runs(" ", 2, _MANY)
    splitter: _native.Splitter | None = _native.published_splitter(source)
    if splitter is not None:
        return _native.find_words(splitter)
    return _native.find_by(lambda text: list(find_spans(pattern, text, NEWER_THAN_16)))


def _bert(fields: Fields) -> Normalizer:
    lowercase, accents = fields.flag("lowercase"), fields.optional_flag("strip_accents")
    return _native.bert_normalizer(
        clean_text=fields.flag("clean_text"),
        space_chinese=fields.flag("handle_chinese_chars"),
        strip_accents=lowercase if accents is None else accents,
        lowercase=lowercase,
    )


def _form(name: str) -> Callable[[Fields], Normalizer]:
    return lambda fields: _native.normal_form_normalizer(getattr(_native.NormalForm, name))


def _precompiled(fields: Fields) -> Normalizer:
    return _native.precompiled_normalizer(base64.b64decode(fields.text("precompiled_charsmap")))


NORMALIZERS: dict[str, Callable[[Fields], Normalizer]] = {
    "BertNormalizer": _bert,
    "ByteLevel": lambda fields: _native.byte_level_normalizer(),
    "Lowercase": lambda fields: _native.lowercase_normalizer(),
    "NFC": _form("NFC"),
    "NFD": _form("NFD"),
    "NFKC": _form("NFKC"),
    "NFKD": _form("NFKD"),
    "Nmt": lambda fields: _native.nmt_normalizer(),
    "Precompiled": _precompiled,
    "Prepend": lambda fields: _native.prepend_normalizer(fields.text("prepend")),
    "Replace": lambda fields: _native.replace_normalizer(_finder(fields), fields.text("content")),
    "Sequence": lambda fields: _native.normalizer_sequence(
        [
            native_normalizer(part, f"{fields.place}.normalizers[{i}]")
            for i, part in enumerate(fields.items("normalizers"))
        ]
    ),
    "Strip": lambda fields: _native.strip_normalizer(
        left=fields.flag("strip_left"), right=fields.flag("strip_right")
    ),
    "StripAccents": lambda fields: _native.strip_accents_normalizer(),
}


def native_normalizer(values: Any, place: str = "normalizer") -> Normalizer:
    """The normalizer that a JSON object describes, which the readable one has checked."""
    fields = Fields(values, place)
    return NORMALIZERS[fields.text("type")](fields)


def _behavior(fields: Fields, default: str | None = None) -> _native.Behavior:
    return getattr(_native.Behavior, fields.choice("behavior", BEHAVIORS, default))


def gpt2_splitter() -> _native.Splitter:
    """What cuts a text into words as GPT-2 does."""
    splitter = _native.published_splitter(
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    )
    assert splitter is not None  # it is the first of those written by hand
    return splitter


def _byte_level(fields: Fields) -> PreTokenizer:
    words = None
    if fields.flag("use_regex", True):
        words = _native.find_words(gpt2_splitter())
    return _native.byte_level_pretokenizer(words, prefix_space=fields.flag("add_prefix_space"))


def _delimiter(fields: Fields) -> PreTokenizer:
    finder = _native.find_text(fields.character("delimiter"))
    return _native.split_pretokenizer(finder, _native.Behavior.Removed, invert=False)


def _split(fields: Fields) -> PreTokenizer:
    return _native.split_pretokenizer(
        _finder(fields), _behavior(fields), invert=fields.flag("invert")
    )


def _metaspace(fields: Fields) -> PreTokenizer:
    return _native.metaspace_pretokenizer(
        fields.character("replacement"),
        getattr(_native.MetaspaceScheme, metaspace_scheme(fields)),
        split=fields.flag("split", True),
    )


PRETOKENIZERS: dict[str, Callable[[Fields], PreTokenizer]] = {
    "BertPreTokenizer": lambda fields: _native.bert_pretokenizer(),
    "ByteLevel": _byte_level,
    "CharDelimiterSplit": _delimiter,
    "Digits": lambda fields: _native.digits_pretokenizer(
        individual=fields.flag("individual_digits")
    ),
    "FixedLength": lambda fields: _native.fixed_length_pretokenizer(fields.count("length", 5)),
    "Metaspace": _metaspace,
    "Punctuation": lambda fields: _native.punctuation_pretokenizer(_behavior(fields, "Isolated")),
    "Sequence": lambda fields: _native.pretokenizer_sequence(
        [
            native_pretokenizer(part, f"{fields.place}.pretokenizers[{i}]")
            for i, part in enumerate(fields.items("pretokenizers"))
        ]
    ),
    "Split": _split,
    "UnicodeScripts": lambda fields: _native.unicode_scripts_pretokenizer(),
    "Whitespace": lambda fields: _native.whitespace_pretokenizer(),
    "WhitespaceSplit": lambda fields: _native.whitespace_split_pretokenizer(),
}


def native_pretokenizer(values: Any, place: str = "pre_tokenizer") -> PreTokenizer:
    """The pre-tokenizer that a JSON object describes, which the readable one has checked."""
    fields = Fields(values, place)
    return PRETOKENIZERS[fields.text("type")](fields)


def spm_normalizer(model: SpmModel) -> Normalizer:
    """What SentencePiece does to a text before its model sees it."""
    return _native.sentencepiece_normalizer(
        model.charsmap,
        symbols=list(model.of_kind(USER_DEFINED)),
        remove_spaces=model.remove_spaces,
        escape_spaces=model.escape_spaces,
        dummy_prefix=model.dummy_prefix,
        space_as_suffix=model.space_as_suffix,
    )


def spm_pretokenizer(model: SpmModel) -> PreTokenizer | None:
    """What cuts a text before SentencePiece's model sees it: the words, of a word model."""
    if model.algorithm != "word":
        return None
    finder = _native.find_by(word_spans(model))
    return _native.split_pretokenizer(finder, _native.Behavior.Isolated, invert=False)


def spm_rules(model: SpmModel) -> Normalizer:
    """SentencePiece's normalization rules alone, without what it does about spaces."""
    return _native.sentencepiece_normalizer(
        model.charsmap,
        symbols=[],
        remove_spaces=False,
        escape_spaces=False,
        dummy_prefix=False,
        space_as_suffix=False,
    )
