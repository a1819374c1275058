"""Whether two tokenizer.json contents give the same ids for every text, and the same text for ids.

Each part is brought to one way of writing it, and then compared. Where tokens are in a text
(`trim_offsets`) is left aside: no other format says it. Two parts that are written alike do alike;
two that are not may still, and are taken for different.
"""

from __future__ import annotations

from typing import Any

from headway.tokenizer.formats.documents import Document
from headway.tokenizer.formats.ranks import is_by_ranks
from headway.tokenizer.split_patterns import CL100K, GPT_2, GPT_4, GPT_4O, QWEN_2, TEKKEN

__all__ = ["difference", "same_steps"]

# Every character is in a match of these, so that removing what is in none removes nothing.
_KEEPING = {GPT_2, GPT_4, CL100K, GPT_4O, QWEN_2, TEKKEN}


def difference(ours: Document, theirs: Document) -> str | None:
    """The name of the first part in which two contents differ, or None.

    >>> difference({"normalizer": {"type": "NFC"}, "model": {}}, {"model": {}})
    'normalizer'
    """
    for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        if not same_steps(ours, theirs, name):
            return name
    if _added(ours) != _added(theirs):
        return "added_tokens"
    return None if _same_models(ours, theirs) else "model"


def same_steps(ours: Document, theirs: Document, name: str) -> bool:
    """Whether two contents do the same in one part.

    >>> same_steps({"normalizer": {"type": "NFC"}}, {"normalizer": None}, "normalizer")
    False
    """
    return _steps(ours, name) == _steps(theirs, name)


def _steps(document: Document, name: str) -> list[Any]:
    """A part as a flat list of steps."""
    part = document.get(name)
    if part is None:
        return []
    inner = next((part[key] for key in _INNER if key in part), None)
    if part.get("type") == "Sequence" and inner is not None:
        return [step for one in inner for step in _steps({name: one}, name)]
    return _PLAIN[name](part) if name in _PLAIN else [part]


_INNER = ("normalizers", "pretokenizers", "processors", "decoders")


def _plain_pretokenizer(part: Document) -> list[Any]:
    if part["type"] == "ByteLevel":
        use_regex = part.get("use_regex") is not False
        return [("ByteLevel", part["add_prefix_space"], use_regex)]
    if part["type"] == "Split" and part["pattern"].get("Regex") in _KEEPING:
        kept = part["behavior"] == ("Removed" if part["invert"] else "Isolated")
        return [("Split", part["pattern"]["Regex"])] if kept else [part]
    return [part]


def _plain_decoder(part: Document) -> list[Any]:
    return [{"type": "ByteLevel"}] if part["type"] == "ByteLevel" else [part]


def _plain_processor(part: Document) -> list[Any]:
    """What stands around the texts, as (id or name of the text, type)."""
    kind = part["type"]
    if kind == "ByteLevel":
        return []
    if kind in ("BertProcessing", "RobertaProcessing"):
        cls, sep = [part["cls"][1]], [part["sep"][1]]
        second = int(kind == "BertProcessing")
        single = [(cls, 0), ("A", 0), (sep, 0)]
        middle = [] if second else [(sep, 0)]
        return [(single, [*single, *middle, ("B", second), (sep, second)])]
    return [tuple(_slots(part, part[name]) for name in ("single", "pair"))]


def _slots(part: Document, slots: list[Document]) -> list[Any]:
    plain = []
    for slot in slots:
        ((kind, what),) = slot.items()
        name = what["id"]
        ids = part["special_tokens"][name]["ids"] if kind == "SpecialToken" else name
        plain.append((ids, what["type_id"]))
    return plain


_PLAIN = {
    "pre_tokenizer": _plain_pretokenizer,
    "post_processor": _plain_processor,
    "decoder": _plain_decoder,
}


def _added(document: Document) -> list[Any]:
    """The added tokens, in the order of their ids."""
    normalizes = document.get("normalizer") is not None
    return sorted(
        (
            token["id"],
            token["content"],
            *(token.get(flag, False) for flag in ("single_word", "lstrip", "rstrip", "special")),
            normalizes and token.get("normalized", True),
        )
        for token in document.get("added_tokens") or []
    )


_USUAL: dict[str, Any] = {
    "dropout": None,
    "unk_token": None,
    "fuse_unk": False,
    "byte_fallback": False,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "ignore_merges": False,
}


def _model(document: Document) -> Document:
    model = {name: _usual(value) for name, value in document["model"].items()}
    if model.get("type") == "BPE" or "merges" in model:
        model = {**_USUAL, **model, "type": "BPE"}
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
        model["merges"] = [tuple(pair) for pair in pairs]
        # An added token is taken out of a text before the model sees it.
        added = {token["content"] for token in document.get("added_tokens") or []}
        vocab = model["vocab"].items()
        model["vocab"] = {token: number for token, number in vocab if token not in added}
    return model


def _usual(value: Any) -> Any:
    return None if value == "" else value


def _same_models(ours: Document, theirs: Document) -> bool:
    a, b = _model(ours), _model(theirs)
    if a == b:
        return True
    pair_by_pair = ("merges", "ignore_merges")
    if a.get("type") != "BPE" or any(
        a.get(name) != b.get(name) for name in {*a, *b} if name not in pair_by_pair
    ):
        return False
    special = {token["content"] for token in ours.get("added_tokens") or []}
    return all(
        is_by_ranks(model["vocab"], model["merges"], special, whole=model["ignore_merges"])
        for model in (a, b)
    )
