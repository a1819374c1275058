"""Parts of the tokenizer.json documents that the readers of older formats write."""

from __future__ import annotations

from typing import Any, NamedTuple

from headway.tokenizer.reference import Pipeline

__all__ = [
    "Around",
    "Content",
    "Document",
    "added_token",
    "bpe_model",
    "document",
    "template",
]

Document = dict[str, Any]


class Content(NamedTuple):
    """What a file holds.

    Attributes:
        document: the content of an equivalent tokenizer.json.
        pipeline: the steps to run, where they are not those of the document.
        config: what a tokenizer_config.json would say, where the file itself says it.
    """

    document: Document
    pipeline: Pipeline | None = None
    config: Document | None = None


def document(model: Document, **parts: Any) -> Document:
    """The content of a tokenizer.json around a model; parts that are not named are null."""
    names = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": parts.get("added_tokens", []),
        **{name: parts.get(name) for name in names},
        "model": model,
    }


def bpe_model(vocabulary: Document, merges: list[list[str]], **options: Any) -> Document:
    """A model BPE; options that are not said are as usual.

    >>> bpe_model({"a": 0}, [], ignore_merges=True)["ignore_merges"]
    True
    """
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        **options,
        "vocab": vocabulary,
        "merges": merges,
    }


def added_token(number: int, content: str, *, lstrip: bool = False) -> Document:
    """The entry of a special token."""
    return {
        "id": number,
        "content": content,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def template(single: str, pair: str, ids: dict[str, int]) -> Document:
    """A TemplateProcessing, from templates like "[CLS] A [SEP]" and "[CLS] A [SEP] B:1 [SEP]:1".

    >>> template("A </s>", "A </s> B </s>", {"</s>": 1})["single"][1]
    {'SpecialToken': {'id': '</s>', 'type_id': 0}}
    """
    used = {slot.partition(":")[0] for slot in f"{single} {pair}".split()} - {"A", "B"}
    return {
        "type": "TemplateProcessing",
        "single": [_slot(slot) for slot in single.split()],
        "pair": [_slot(slot) for slot in pair.split()],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in sorted(used)
        },
    }


class Around(NamedTuple):
    """The tokens before and after each text; None is no token."""

    before: str | None
    after: str | None

    def template(self, ids: dict[str, int]) -> Document | None:
        """The TemplateProcessing that puts them there, in a pair around each of the two.

        >>> processor = Around("<s>", None).template({"<s>": 1})
        >>> [*processor["pair"][2].values(), *processor["pair"][3].values()]
        [{'id': '<s>', 'type_id': 0}, {'id': 'B', 'type_id': 0}]
        """
        used = sorted({token for token in self if token is not None})
        return (
            {
                "type": "TemplateProcessing",
                "single": self._one("A"),
                "pair": self._one("A") + self._one("B"),
                "special_tokens": {
                    token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in used
                },
            }
            if used
            else None
        )

    def _one(self, text: str) -> list[Document]:
        slots = [(token and "SpecialToken", token) for token in self]
        slots.insert(1, ("Sequence", text))
        return [{kind: {"id": name, "type_id": 0}} for kind, name in slots if kind]


def _slot(slot: str) -> Document:
    name, _, type_id = slot.partition(":")
    kind = "Sequence" if name in ("A", "B") else "SpecialToken"
    return {kind: {"id": name, "type_id": int(type_id or 0)}}
