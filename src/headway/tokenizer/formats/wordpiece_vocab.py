"""BERT's vocab.txt: one token a line, its number is the line's; MPNet's has RoBERTa's marks in it.

Source: https://github.com/google-research/bert (tokenization.py). Case is decided by
do_lower_case of the tokenizer_config.json beside it; without one, text is lowercased when no
ordinary token has a capital letter, since capitals would then all be unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.checks import Fields
from headway.tokenizer.formats.documents import Content, Document, added_token, document, template
from headway.tokenizer.formats.files import CONFIG, read_text, written_json

__all__ = ["read_vocab_txt", "wordpiece_document", "write_vocab_txt"]

_BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_MPNET = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "[UNK]", "mask": "<mask>"}


def read_vocab_txt(path: Path, config: dict[str, Any]) -> Content:
    """The tokenizer.json that is equivalent to a vocab.txt."""
    lines = read_text(path).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    # As in BERT, where a token stands on two lines the last one counts.
    vocabulary = {line.rstrip("\r"): number for number, line in enumerate(lines)}
    fields = Fields(config, "tokenizer_config.json")
    roles = {f"{role}_token": token for role, token in _MPNET.items()}
    return Content(
        wordpiece_document(vocabulary, fields, str(path)),
        config=roles if _is_mpnets(vocabulary) else None,
    )


def wordpiece_document(vocabulary: dict[str, int], fields: Fields, place: str) -> Document:
    """The tokenizer.json of a BERT vocabulary.

    Args:
        vocabulary: token -> id.
        fields: the options of a tokenizer_config.json, or none.
        place: where the vocabulary comes from, for messages.
    """
    if "[UNK]" not in vocabulary:
        raise TokenizerError(
            f"{place} has no token [UNK], so it is no BERT vocabulary",
            allowed="a vocab.txt with [UNK], [CLS] and [SEP], one token a line",
        )
    is_mpnet = _is_mpnets(vocabulary)
    marks = _MPNET.values() if is_mpnet else _BERT
    special = [token for token in marks if token in vocabulary]
    return document(
        {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
        added_tokens=[
            added_token(vocabulary[token], token, lstrip=token == "<mask>") for token in special
        ],
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": fields.flag("tokenize_chinese_chars", True),
            "strip_accents": fields.optional_flag("strip_accents"),
            "lowercase": fields.flag("do_lower_case", _is_uncased(vocabulary)),
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=_mpnets_marks(vocabulary) if is_mpnet else _berts_marks(vocabulary),
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def _is_mpnets(vocabulary: dict[str, int]) -> bool:
    """Whether it is BERT's vocabulary, marks included, with MPNet's own before and behind."""
    return set(_MPNET.values()) <= vocabulary.keys()


def _berts_marks(vocabulary: dict[str, int]) -> Document | None:
    if {"[CLS]", "[SEP]"} <= vocabulary.keys():
        return template("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1", vocabulary)
    return None


def _mpnets_marks(vocabulary: dict[str, int]) -> Document:
    return {
        "type": "RobertaProcessing",
        "sep": ["</s>", vocabulary["</s>"]],
        "cls": ["<s>", vocabulary["<s>"]],
        "trim_offsets": True,
        "add_prefix_space": False,
    }


def write_vocab_txt(source: Document) -> dict[str, bytes]:
    """The files that say what a tokenizer.json of BERT's kind says."""
    model, normalizer = source["model"], source.get("normalizer") or {}
    if model.get("type") != "WordPiece":
        raise TokenizerError(
            f"a vocab.txt is of WordPiece, and this tokenizer is of {model.get('type')!r}"
        )
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    if [model["vocab"][token] for token in tokens] != [*range(len(tokens))]:
        raise TokenizerError("a vocab.txt numbers its tokens from 0 on, and these have gaps")
    config = {
        "tokenizer_class": "MPNetTokenizer" if _is_mpnets(model["vocab"]) else "BertTokenizer",
        "do_lower_case": normalizer.get("lowercase", False),
        "strip_accents": normalizer.get("strip_accents"),
        "tokenize_chinese_chars": normalizer.get("handle_chinese_chars", False),
    }
    lines = "".join(f"{token}\n" for token in tokens)
    return {"vocab.txt": lines.encode(), CONFIG: written_json(config)}


def _is_uncased(vocabulary: dict[str, int]) -> bool:
    return all(token == token.lower() or token.startswith("[") for token in vocabulary)
