"""Which pipelines the native engine takes a shortcut through.

A shortcut gives what the steps give, in one pass over the text; where the text is not of a kind
that it reads, it goes the long way by itself. What is not recognised here goes step by step.
"""

from __future__ import annotations

from typing import Any

from headway.tokenizer import _native
from headway.tokenizer.formats.sentencepiece_model import SpmModel
from headway.tokenizer.native_steps import gpt2_splitter, native_normalizer, spm_rules

__all__ = ["shortcut", "spm_shortcut"]

Document = dict[str, Any]


def shortcut(
    document: Document,
    model: _native.Model,
    normalizer: _native.Normalizer | None,
    pretokenizer: _native.PreTokenizer | None,
) -> _native.FastPath | None:
    """The shortcut of a pipeline, or None where there is none.

    Args:
        document: the content of a tokenizer.json, which has been checked.
        model: its model, as are the other two of what is meant.
        normalizer: the whole normalizer, or None.
        pretokenizer: the whole pre-tokenizer, or None.
    """
    normal, pre = document.get("normalizer"), document.get("pre_tokenizer")
    if pre is None:
        return None
    if normal is None and isinstance(model, _native.Bpe) and model.has_all_bytes:
        return _byte_level(pre, model)
    if normal is not None and normal["type"] == "BertNormalizer":
        if pre["type"] != "BertPreTokenizer" or normalizer is None or pretokenizer is None:
            return None
        return _native.bert_path(
            normal["clean_text"], normal["lowercase"], normalizer, pretokenizer, model
        )
    return _metaspace(normal, pre, model)


def _byte_level(pre: Document, model: _native.Bpe) -> _native.FastPath | None:
    *splits, last = pre["pretokenizers"] if pre["type"] == "Sequence" else [pre]
    if last["type"] != "ByteLevel" or (splits and last["add_prefix_space"]):
        return None
    splitters = _splitters(splits)
    if splitters is not None and last.get("use_regex") is not False:
        splitters.append(gpt2_splitter())
    if not splitters:
        return None
    joined = splitters[0]
    for splitter in splitters[1:]:
        joined = _native.chained(joined, splitter)
    return _native.byte_level_path(joined, model, last["add_prefix_space"])


def _splitters(splits: list[Document]) -> list[Any] | None:
    """The splitters of some pre-tokenizers, or None where one is not known."""
    patterns = [_pattern(split) for split in splits]
    if len(patterns) == 3 and None not in patterns:
        joined = _native.published_splitter("\n".join(p for p in patterns if p is not None))
        if joined is not None:
            return [joined]
    found = []
    for split, pattern in zip(splits, patterns, strict=True):
        if split["type"] == "Digits":
            found.append(_native.digit_splitter(split["individual_digits"]))
        elif pattern is not None and (splitter := _native.published_splitter(pattern)):
            found.append(splitter)
        else:
            return None
    return found


def _pattern(split: Document) -> str | None:
    """The pattern of a Split that keeps everything: of the usual ones every character matches."""
    if split["type"] != "Split" or "Regex" not in split["pattern"]:
        return None
    keeps = split["behavior"] == ("Removed" if split["invert"] else "Isolated")
    return str(split["pattern"]["Regex"]) if keeps else None


_LOCAL = {"Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled", "StripAccents"}
"""Normalizers that look at a character and the marks behind it only."""

_STRIP = r"\A +|[ ▁]+\z"


def _metaspace(normal: Document | None, pre: Document, model: Any) -> _native.FastPath | None:
    steps = [] if normal is None else [normal]
    if normal is not None and normal["type"] == "Sequence":
        steps = normal["normalizers"]
    if pre["type"] == "Sequence" and [part["type"] for part in pre["pretokenizers"]] == [
        "WhitespaceSplit",
        "Metaspace",
    ]:
        mark = pre["pretokenizers"][1]
        if not (_puts_marks(mark) and mark.get("prepend_scheme", "always") == "always"):
            return None
        return _local_metaspace(steps, model, mark=_native.Mark.FIRST_CHARACTER)
    tidy = [{"Regex": _STRIP}, {"Regex": " {2,}"}]
    tail = [step["type"] for step in steps[-3:]]
    if pre["type"] == "Metaspace" and tail == ["Replace", "Replace", "Prepend"]:
        strip, collapse, prepend = steps[-3:]
        is_tidy = [strip["pattern"], collapse["pattern"]] == tidy
        contents = [strip["content"], collapse["content"], prepend["prepend"]]
        if is_tidy and contents == ["", " ", "▁"] and _puts_marks(pre):
            return _local_metaspace(steps[:-3], model, mark=_native.Mark.LAST_SPACE)
    return None


def _puts_marks(mark: Document) -> bool:
    return bool(mark["replacement"] == "▁" and mark.get("split", True)) and (
        mark.get("add_prefix_space") is not False or mark.get("prepend_scheme") == "never"
    )


def _local_metaspace(
    steps: list[Document], model: Any, *, mark: _native.Mark
) -> _native.FastPath | None:
    contextual = ""
    for step in steps:
        if step["type"] == "Replace" and "String" in step["pattern"]:
            contextual += step["pattern"]["String"]
        elif step["type"] not in _LOCAL:
            return None
    if not contextual.isascii() or " " in contextual:
        return None
    whole = {"type": "Sequence", "normalizers": steps}
    normalizer = native_normalizer(whole, "normalizer") if steps else None
    return _native.metaspace_path(normalizer, contextual, mark, model)


def spm_shortcut(spm: SpmModel, model: _native.Model) -> _native.FastPath | None:
    """The shortcut of a SentencePiece model, or None where its words do not come apart."""
    usual = spm.remove_spaces and spm.escape_spaces and spm.dummy_prefix
    if not usual or spm.space_as_suffix or not isinstance(model, _native.SpmUnigram):
        return None
    rules = spm_rules(spm) if spm.charsmap else None
    return _native.metaspace_path(rules, "", _native.Mark.FIRST_SPACE, model)
