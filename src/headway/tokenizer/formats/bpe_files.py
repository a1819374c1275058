"""vocab.json with merges.txt: GPT-2's, RoBERTa's and CLIP's vocabularies, and the first GPT's.

Which of them it is, the vocabulary tells: tokens that end with `</w>` are CLIP's, where there is
`<|startoftext|>`, or else the first GPT's; of the other two RoBERTa's has `<s>` and `<mask>`.
Sources: https://github.com/openai/gpt-2 (encoder.py),
https://github.com/openai/finetune-transformer-lm (text_utils.py),
https://github.com/facebookresearch/fairseq (gpt2_bpe.py), https://github.com/openai/CLIP
(simple_tokenizer.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.formats.documents import (
    Content,
    Document,
    added_token,
    bpe_model,
    document,
    template,
)
from headway.tokenizer.formats.files import CONFIG, read_object, read_text, written_json

__all__ = ["read_bpe_files", "write_bpe_files"]

# The name of a vocabulary's file ends with the first, its merges' with the second.
_NAMES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))

CLIP_START, CLIP_END = "<|startoftext|>", "<|endoftext|>"

CLIP_WORDS = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
"""What CLIP takes for a word; all else is left out."""


def read_bpe_files(path: Path, config: dict[str, Any]) -> Content:
    """The tokenizer.json that is equivalent to a vocabulary and its merges.

    Args:
        path: either of the two files; the other one stands beside it.
        config: what tokenizer_config.json says, or an empty dict.
    """
    vocabulary_file, merges_file = _both(path)
    vocabulary = read_object(vocabulary_file)
    merges = _read_merges(merges_file)
    fields = Fields(config, "tokenizer_config.json")
    if any(token.endswith("</w>") for token in vocabulary):
        if CLIP_START in vocabulary:
            return Content(_clip(vocabulary, merges, vocabulary_file))
        return Content(_first_gpt(vocabulary, merges))
    if {"<s>", "</s>", "<mask>"} <= vocabulary.keys():
        return Content(_roberta(vocabulary, merges, fields))
    return Content(_gpt2(vocabulary, merges, fields))


def _both(path: Path) -> tuple[Path, Path]:
    for vocabulary_end, merges_end in _NAMES:
        for end, other in ((vocabulary_end, merges_end), (merges_end, vocabulary_end)):
            if not path.name.endswith(end):
                continue
            beside = path.with_name(path.name.removesuffix(end) + other)
            if not beside.is_file():
                raise TokenizerError(
                    f"{path} has no {beside.name} beside it, and one is no use without the other",
                    next_step=f"put {beside.name} into the same folder",
                )
            return (path, beside) if end == vocabulary_end else (beside, path)
    raise TokenizerError(f"{path} is no vocabulary by its name", allowed=str(_NAMES))


def _read_merges(path: Path) -> list[list[str]]:
    merges: list[list[str]] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line or (number == 1 and line.startswith("#version")):
            continue
        pair = line.split(" ")
        if len(pair) != 2 or not all(pair):
            raise TokenizerError(
                f"line {number} of {path} is {line!r:.60}", allowed="two tokens and a space between"
            )
        merges.append(pair)
    return merges


def _byte_level(prefix_space: bool, trim: bool) -> Document:
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix_space,
        "trim_offsets": trim,
        "use_regex": True,
    }


def _special(vocabulary: dict[str, Any], *tokens: str) -> list[Document]:
    return [
        added_token(vocabulary[token], token, lstrip=token == "<mask>")
        for token in tokens
        if token in vocabulary
    ]


def _gpt2(vocabulary: dict[str, Any], merges: list[list[str]], fields: Fields) -> Document:
    prefix_space = fields.flag("add_prefix_space", False)
    end = "<|endoftext|>"
    wraps = fields.flag("add_bos_token", False) and end in vocabulary
    return document(
        bpe_model(vocabulary, merges),
        added_tokens=_special(vocabulary, end),
        pre_tokenizer=_byte_level(prefix_space, trim=True),
        post_processor=template(f"{end} A", f"{end} A {end} B:1", vocabulary)
        if wraps
        else _byte_level(prefix_space, trim=False),
        decoder=_byte_level(True, trim=True),
    )


def _roberta(vocabulary: dict[str, Any], merges: list[list[str]], fields: Fields) -> Document:
    prefix_space = fields.flag("add_prefix_space", False)
    return document(
        bpe_model(vocabulary, merges),
        added_tokens=_special(vocabulary, "<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        pre_tokenizer=_byte_level(prefix_space, trim=True),
        post_processor={
            "type": "RobertaProcessing",
            "sep": ["</s>", vocabulary["</s>"]],
            "cls": ["<s>", vocabulary["<s>"]],
            "trim_offsets": True,
            "add_prefix_space": prefix_space,
        },
        decoder=_byte_level(True, trim=True),
    )


def _first_gpt(vocabulary: dict[str, Any], merges: list[list[str]]) -> Document:
    return document(
        bpe_model(vocabulary, merges, unk_token="<unk>", end_of_word_suffix="</w>"),
        added_tokens=_special(vocabulary, "<unk>"),
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        decoder={"type": "BPEDecoder", "suffix": "</w>"},
    )


def _clip(vocabulary: dict[str, Any], merges: list[list[str]], file: Path) -> Document:
    if CLIP_END not in vocabulary:
        raise TokenizerError(f"{file} has no token {CLIP_END}", allowed="CLIP's vocabulary")
    return document(
        bpe_model(
            vocabulary,
            merges,
            unk_token=CLIP_END,
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
        ),
        added_tokens=_special(vocabulary, CLIP_START, CLIP_END),
        normalizer={
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        pre_tokenizer={
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": CLIP_WORDS},
                    "behavior": "Removed",
                    "invert": True,
                },
                _byte_level(prefix_space=False, trim=True),
            ],
        },
        post_processor={
            "type": "RobertaProcessing",
            "sep": [CLIP_END, vocabulary[CLIP_END]],
            "cls": [CLIP_START, vocabulary[CLIP_START]],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        decoder={
            "type": "Sequence",
            "decoders": [
                _byte_level(prefix_space=True, trim=True),
                {"type": "Replace", "pattern": {"String": "</w>"}, "content": " "},
                {"type": "Strip", "content": " ", "start": 0, "stop": 1},
            ],
        },
    )


def write_bpe_files(source: Document) -> dict[str, bytes]:
    """The files that say what a tokenizer.json of GPT-2's, RoBERTa's, CLIP's or GPT's kind says."""
    model = source["model"]
    if "merges" not in model:
        raise TokenizerError(f"merges are of BPE, and this tokenizer is of {model.get('type')!r}")
    vocabulary = model["vocab"]
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    config = {
        "tokenizer_class": _class_of(vocabulary),
        "add_prefix_space": '"add_prefix_space": true' in json.dumps(source.get("pre_tokenizer")),
        "add_bos_token": "SpecialToken" in str(source.get("post_processor")),
    }
    return {
        "vocab.json": written_json(vocabulary),
        "merges.txt": "\n".join(["#version: 0.2", *pairs, ""]).encode(),
        CONFIG: written_json(config),
    }


def _class_of(vocabulary: dict[str, Any]) -> str:
    if any(token.endswith("</w>") for token in vocabulary):
        return "CLIPTokenizer" if CLIP_START in vocabulary else "OpenAIGPTTokenizer"
    is_roberta = {"<s>", "</s>", "<mask>"} <= vocabulary.keys()
    return "RobertaTokenizer" if is_roberta else "GPT2Tokenizer"
