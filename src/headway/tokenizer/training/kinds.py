"""The kinds of tokenizers that can be trained: the steps around each algorithm, and its learner.

A kind makes a whole tokenizer.json document, which other libraries read too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headway.tokenizer import _native
from headway.tokenizer.formats.documents import Document, template
from headway.tokenizer.native_steps import gpt2_splitter, native_normalizer, native_pretokenizer
from headway.tokenizer.training.learners import (
    Options,
    Progress,
    learn_bpe,
    learn_byte_bpe,
    learn_characters,
    learn_unigram,
    learn_wordpiece,
    learn_words,
)
from headway.tokenizer.training.splits import SPLITS

__all__ = ["KINDS", "Kind"]

_USUAL = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")


@dataclass(frozen=True)
class Kind:
    """A kind of tokenizer.

    Attributes:
        said: what it is, in a line.
        special: the special tokens that it has in any case.
        unknown: the one for what has no token; an empty string where everything has.
        steps: makes the steps of the document from whether text is lowercased, and the name of
            the split pattern.
        cutter: makes what cuts texts into the words that are counted, from the same.
        learn: makes the model of counted words.
        around: makes the post-processor, from the ids of the special tokens.
        takes: the options beyond the common ones that mean something to it.
    """

    said: str
    special: tuple[str, ...]
    unknown: str
    steps: Callable[[bool, str], Document]
    cutter: Callable[[bool, str], _native.WordCutter]
    learn: Callable[[_native.WordList, Options, Progress], Document]
    around: Callable[[dict[str, int]], Document | None] = lambda ids: None
    takes: tuple[str, ...] = ()


def _byte_level(**fields: object) -> Document:
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
        **fields,
    }


def _lower(lowercase: bool) -> Document | None:
    return {"type": "Lowercase"} if lowercase else None


def _native_lower(lowercase: bool) -> _native.Normalizer | None:
    return native_normalizer({"type": "Lowercase"}) if lowercase else None


def _byte_steps(lowercase: bool, split: str) -> Document:
    pattern = SPLITS[split]
    pre = _byte_level()
    if pattern is not None:
        cut: Document = {"type": "Split", "pattern": {"Regex": pattern}}
        cut |= {"behavior": "Isolated", "invert": False}
        pre = {"type": "Sequence", "pretokenizers": [cut, _byte_level(use_regex=False)]}
    return {"normalizer": _lower(lowercase), "pre_tokenizer": pre, "decoder": _byte_level()}


def _byte_cutter(lowercase: bool, split: str) -> _native.WordCutter:
    pattern = SPLITS[split]
    splitter = gpt2_splitter() if pattern is None else _native.published_splitter(pattern)
    assert splitter is not None  # all of SPLITS are written by hand
    return _native.pattern_cutter(splitter, _native_lower(lowercase))


def _compatible(lowercase: bool) -> Document:
    """NFKC, since it makes one of the many ways to write a character."""
    form = {"type": "NFKC"}
    if not lowercase:
        return form
    return {"type": "Sequence", "normalizers": [form, {"type": "Lowercase"}]}


def _marked_steps(lowercase: bool, split: str) -> Document:
    mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    words = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, mark]}
    return {"normalizer": _compatible(lowercase), "pre_tokenizer": words, "decoder": mark}


def _bert_steps(lowercase: bool, split: str) -> Document:
    return {
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    }


def _word_steps(lowercase: bool, split: str) -> Document:
    return {
        "normalizer": _compatible(lowercase),
        "pre_tokenizer": {"type": "Whitespace"},
        "decoder": None,
    }


def _character_steps(lowercase: bool, split: str) -> Document:
    return {
        "normalizer": _lower(lowercase),
        "pre_tokenizer": None,
        "decoder": {"type": "Fuse"},
    }


def _character_cutter(lowercase: bool, split: str) -> _native.WordCutter:
    return _native.character_cutter(_native_lower(lowercase))


def _between_spaces(
    steps: Callable[[bool, str], Document],
) -> Callable[[bool, str], _native.WordCutter]:
    """The cutter of steps that never look beyond a space."""

    def cutter(lowercase: bool, split: str) -> _native.WordCutter:
        made = steps(lowercase, split)
        return _native.stretch_cutter(
            native_normalizer(made["normalizer"]), native_pretokenizer(made["pre_tokenizer"])
        )

    return cutter


def _bert_template(ids: dict[str, int]) -> Document:
    return template("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1", ids)


KINDS: dict[str, Kind] = {
    "bpe": Kind(
        said="byte-pair encoding of characters; words begin with a mark",
        special=_USUAL,
        unknown="<unk>",
        steps=_marked_steps,
        cutter=_between_spaces(_marked_steps),
        learn=learn_bpe,
        takes=("coverage", "byte_fallback", "min_frequency"),
    ),
    "byte-bpe": Kind(
        said="byte-pair encoding of bytes: any text has tokens, and comes back as it was",
        special=("<|endoftext|>",),
        unknown="",
        steps=_byte_steps,
        cutter=_byte_cutter,
        learn=learn_byte_bpe,
        takes=("split", "min_frequency"),
    ),
    "char": Kind(
        said="every character is a token",
        special=_USUAL,
        unknown="<unk>",
        steps=_character_steps,
        cutter=_character_cutter,
        learn=learn_characters,
        takes=("byte_fallback", "min_frequency"),
    ),
    "unigram": Kind(
        said="the likeliest pieces, as SentencePiece learns them; words begin with a mark",
        special=_USUAL,
        unknown="<unk>",
        steps=_marked_steps,
        cutter=_between_spaces(_marked_steps),
        learn=learn_unigram,
        takes=("coverage", "byte_fallback"),
    ),
    "word": Kind(
        said="the most frequent words are tokens",
        special=_USUAL,
        unknown="<unk>",
        steps=_word_steps,
        cutter=_between_spaces(_word_steps),
        learn=learn_words,
        takes=("min_frequency",),
    ),
    "wordpiece": Kind(
        said="BERT's: words in pieces, with [CLS] and [SEP] around a text",
        special=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        unknown="[UNK]",
        steps=_bert_steps,
        cutter=_between_spaces(_bert_steps),
        learn=learn_wordpiece,
        around=_bert_template,
        takes=("coverage", "min_frequency"),
    ),
}
"""Name -> kind."""
