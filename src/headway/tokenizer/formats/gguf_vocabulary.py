"""A tokenizer as the values of a GGUF file: the counterpart of gguf.py.

Byte-level BPE whose split pattern has a name, SentencePiece's BPE and Unigram as they were read
from a .model or a GGUF, and BERT's WordPiece can be said there. Nothing is written of what was not:
a reader gets the same ids, which `export` checks.
"""

from __future__ import annotations

import array
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.formats.documents import Document
from headway.tokenizer.formats.equivalence import same_steps
from headway.tokenizer.formats.gguf import ROLES
from headway.tokenizer.formats.gguf_splits import SPLITS, Split
from headway.tokenizer.formats.ranks import is_by_ranks
from headway.tokenizer.formats.sentencepiece_model import CONTROL, NORMAL, UNUSED, USER_DEFINED
from headway.tokenizer.reference import Pipeline
from headway.tokenizer.sentencepiece_models import SpmModels

__all__ = ["gguf_values"]

_SPACE = "\u2581"


def gguf_values(
    document: Document, pipeline: Pipeline, config: Document, *, rows: int = 0
) -> dict[str, Any]:
    """Names and values below `tokenizer.`.

    Args:
        document: the content of a tokenizer.json.
        pipeline: its steps.
        config: what a tokenizer_config.json says, the tokens' roles included.
        rows: of the model's word table; what it has more than tokens is filled up.

    Raises:
        TokenizerError: the format cannot say this tokenizer.
    """
    kind = document["model"].get("type") or ("BPE" if "merges" in document["model"] else "")
    if isinstance(pipeline.model, SpmModels):
        own = _sentencepiece(document, pipeline.model)
    elif kind == "BPE" and _is_byte_level(document):
        own = _byte_level_bpe(document)
    elif kind == "WordPiece":
        own = _wordpiece(document)
    else:
        raise TokenizerError(
            f"a GGUF cannot say a {kind or 'tokenizer'} of this kind",
            allowed="byte-level BPE, WordPiece, or what was read from a SentencePiece .model",
        )
    tokens, kinds = own["tokens"], own["token_type"]
    tokens += [f"[PAD{number}]" for number in range(len(tokens), rows)]
    kinds.extend([UNUSED] * (len(tokens) - len(kinds)))
    if "scores" in own:
        own["scores"].extend([-10000.0] * (len(tokens) - len(own["scores"])))
    own |= _roles(tokens, config)
    if isinstance(config.get("chat_template"), str):
        own["chat_template"] = config["chat_template"]
    above = {"chat_template"}
    return {f"tokenizer.{'' if key in above else 'ggml.'}{key}": own[key] for key in own}


def _is_byte_level(document: Document) -> bool:
    return (document.get("decoder") or {}).get("type") == "ByteLevel"


def _byte_level_bpe(document: Document) -> dict[str, Any]:
    model = document["model"]
    name = next((name for name, split in SPLITS.items() if _is_split(document, split)), None)
    if name is None:
        raise TokenizerError(
            "a GGUF names the way a text is split, and this one has no name",
            allowed=", ".join(SPLITS),
            next_step="keep its tokenizer.json beside the file",
        )
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return {
        "model": "gpt2",
        "pre": name,
        **_vocabulary(document, model["vocab"]),
        "merges": merges,
        **_around(document),
    }


def _is_split(document: Document, split: Split) -> bool:
    """Whether texts are split in this way, and words that are tokens are left alone alike."""
    wanted = {"pre_tokenizer": split.pretokenizer, "normalizer": split.normalizer}
    if not all(same_steps(document, wanted, part) for part in wanted):
        return False
    model, special = document["model"], {t["content"] for t in document.get("added_tokens") or []}
    alone = bool(model.get("ignore_merges"))
    if alone == split.ignore_merges:
        return True
    parts = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
    pairs = [(left, right) for left, right in parts]
    return all(is_by_ranks(model["vocab"], pairs, special, whole=whole) for whole in (True, False))


def _wordpiece(document: Document) -> dict[str, Any]:
    """`##` where no word begins becomes `▁` where one does."""
    own = _vocabulary(document, document["model"]["vocab"])
    own["tokens"] = [
        token if token.startswith("[") and token.endswith("]")
        else token.removeprefix("##") if token.startswith("##")
        else _SPACE + token
        for token in own["tokens"]
    ]  # fmt: skip
    return {"model": "bert", **own}


def _vocabulary(document: Document, vocab: dict[str, int]) -> dict[str, Any]:
    """Tokens in the order of their ids, added ones included; in a gap is one that is never used."""
    added = {token["id"]: token for token in document.get("added_tokens") or []}
    known = {number: token for token, number in vocab.items()}
    known |= {number: token["content"] for number, token in added.items()}
    size = max(known, default=-1) + 1
    tokens = [known.get(number, f"[PAD{number}]") for number in range(size)]
    kinds = [
        UNUSED if number not in known
        else NORMAL if number not in added
        else CONTROL if added[number].get("special") else USER_DEFINED
        for number in range(size)
    ]  # fmt: skip
    return {"tokens": tokens, "token_type": array.array("i", kinds)}


def _sentencepiece(document: Document, models: SpmModels) -> dict[str, Any]:
    model = models.model
    if model.algorithm not in ("bpe", "unigram") or model.space_as_suffix:
        raise TokenizerError(
            f"a GGUF cannot say a SentencePiece model of the kind {model.algorithm}",
            allowed="bpe, unigram, with the mark of a space before words",
        )
    values: dict[str, Any] = {
        "model": "llama" if model.algorithm == "bpe" else "t5",
        "tokens": [piece.text for piece in model.pieces],
        "scores": array.array("f", [piece.score for piece in model.pieces]),
        "token_type": array.array("i", [piece.kind for piece in model.pieces]),
        "add_space_prefix": model.dummy_prefix,
        "remove_extra_whitespaces": model.remove_spaces,
        **_around(document),
    }
    beyond = [
        token["content"]
        for token in sorted(document.get("added_tokens") or [], key=lambda token: token["id"])
        if token["id"] >= len(model.pieces)
    ]
    values["tokens"] += beyond
    values["scores"].extend([-10000.0] * len(beyond))
    values["token_type"].extend([CONTROL] * len(beyond))
    if model.charsmap:
        values["precompiled_charsmap"] = array.array("B", model.charsmap)
    return values


def _around(document: Document) -> dict[str, Any]:
    """Whether a token begins and one ends each text."""
    slots = (document.get("post_processor") or {}).get("single") or [{"Sequence": {}}]
    kinds = ["Sequence" if "Sequence" in slot else "Special" for slot in slots]
    return {
        "add_bos_token": kinds[0] == "Special",
        "add_eos_token": kinds[-1] == "Special",
    }


def _roles(tokens: list[str], config: Document) -> dict[str, int]:
    places = {token: number for number, token in enumerate(tokens)}
    found = {}
    for role, key in ROLES.items():
        said = config.get(f"{role}_token")
        token = said.get("content") if isinstance(said, dict) else said
        if token in places:
            found[key] = places[token]
    return found
