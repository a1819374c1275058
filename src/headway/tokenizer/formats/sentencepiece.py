"""SentencePiece's .model: how it runs, and the tokenizer.json that is equivalent to it.

A .model by itself puts nothing around a text, as sentencepiece does. In a folder,
tokenizer_config.json may name a class that adds tokens, or config.json a kind of model that has
such a class: T5Tokenizer, LlamaTokenizer and DebertaV2Tokenizer with their kin. A class that
prepares texts or numbers the pieces in a way of its own is refused.

The tokenizer.json differs from the .model in this: it takes control pieces in a text (`</s>`) for
what they stand for, it applies normalization rules to whole grapheme clusters (see charsmap.py),
it cannot merge characters that are not pieces, it does not join unknown words (of a word model),
and it decodes unknown tokens to nothing.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.added_tokens import AddedTokens
from headway.tokenizer.checks import Fields
from headway.tokenizer.formats.documents import (
    Around,
    Content,
    Document,
    added_token,
    bpe_model,
    document,
    template,
)
from headway.tokenizer.formats.files import read_bytes
from headway.tokenizer.formats.sentencepiece_model import (
    CONTROL,
    NORMAL,
    USER_DEFINED,
    SpmModel,
)
from headway.tokenizer.postprocessors import build_postprocessor
from headway.tokenizer.sentencepiece import SPACE, sentencepiece_pipeline

__all__ = ["read_sentencepiece", "spm_content"]

# What a class puts before and after a text, unless the configuration says so itself.
_CLASSES: dict[str, tuple[bool, bool]] = {
    "": (False, False),
    "PreTrainedTokenizerFast": (False, False),
    "CodeLlamaTokenizer": (True, False),
    "GemmaTokenizer": (True, False),
    "LlamaTokenizer": (True, False),
    "MT5Tokenizer": (False, True),
    "T5Tokenizer": (False, True),
    "UMT5Tokenizer": (False, True),
}


def read_sentencepiece(path: Path, config: dict[str, Any]) -> Content:
    """The pipeline of a .model, and the tokenizer.json that is equivalent to it."""
    model = SpmModel.from_bytes(read_bytes(path), str(path))
    fields = Fields(config, "tokenizer_config.json")
    name = fields.text("tokenizer_class", "").removesuffix("Fast") or ""
    if name == "DebertaV2Tokenizer":
        return _deberta(model, fields, str(path))
    if name not in _CLASSES and name != "PreTrainedTokenizer":
        raise TokenizerError(
            f"{path} is for {name}, which prepares texts or numbers pieces in a way of its own",
            allowed=", ".join(["DebertaV2Tokenizer", *filter(None, _CLASSES)]),
            next_step="use the tokenizer.json of the same model",
        )
    begins, ends = _CLASSES.get(name, (False, False))
    special = _special_tokens(model, name, fields)
    ids = {**model.vocabulary, **special}
    around = _around(
        ids,
        begins=fields.flag("add_bos_token", begins),
        ends=fields.flag("add_eos_token", ends),
    )
    return spm_content(model, special, around.template(ids), str(path), in_text=bool(name))


def _deberta(model: SpmModel, fields: Fields, place: str) -> Content:
    """[CLS] and [SEP] around texts as in BERT; [MASK] behind the pieces, if it is none of them.

    Source: https://github.com/microsoft/DeBERTa (DeBERTa/deberta/spm_tokenizer.py).
    """
    for option in ("do_lower_case", "split_by_punct"):
        if fields.flag(option, False):
            raise TokenizerError(
                f"{place} is used with {option}, which changes texts before they are cut",
                next_step="use the tokenizer.json of the same model",
            )
    special = _special_tokens(model, "DebertaV2Tokenizer", fields)
    special.setdefault("[MASK]", model.vocabulary.get("[MASK]", len(model.pieces)))
    ids = {**model.vocabulary, **special}
    if absent := [token for token in ("[CLS]", "[SEP]") if token not in ids]:
        raise TokenizerError(
            f"{place} has no {absent[0]}, so it is no DeBERTa vocabulary",
            next_step="check that tokenizer_config.json and the .model belong together",
        )
    around = template("[CLS] A [SEP]", "[CLS] A [SEP] B:1 [SEP]:1", ids)
    return spm_content(model, special, around, place, in_text=True)


def spm_content(
    model: SpmModel,
    special: dict[str, int],
    processor: Document | None,
    place: str,
    *,
    in_text: bool,
) -> Content:
    """The pipeline of a model, and the tokenizer.json that is equivalent to it.

    Args:
        model: a model that has been checked.
        special: special tokens -> their ids; one may be beyond the model's pieces.
        processor: the post-processor that puts tokens around texts, or None.
        place: where the model comes from, for messages.
        in_text: whether special tokens are looked for in texts, or only known when decoding.
    """
    entries = [added_token(number, token) for token, number in special.items()]
    pipeline = sentencepiece_pipeline(
        model,
        AddedTokens(entries, model.vocabulary, None, in_text=in_text),
        build_postprocessor(processor) if processor else None,
        place,
    )
    return Content(_document(model, special, processor), pipeline)


def _special_tokens(model: SpmModel, name: str, fields: Fields) -> dict[str, int]:
    """The control pieces; with a class also the unknown piece, and T5's sentinels."""
    special = model.of_kind(CONTROL)
    if name:
        special[model.pieces[model.unknown_id].text] = model.unknown_id
    if name == "T5Tokenizer":
        count, size = fields.count("extra_ids", 100), len(model.pieces)
        missing = [f"<extra_id_{i}>" for i in reversed(range(min(count, 10_000)))]
        missing = [token for token in missing if token not in model.vocabulary]
        special |= {token: size + i for i, token in enumerate(missing)}
    return dict(sorted(special.items(), key=lambda item: item[1]))


def _around(ids: dict[str, int], *, begins: bool, ends: bool) -> Around:
    bos, eos = "<s>" if "<s>" in ids else "<bos>", "</s>" if "</s>" in ids else "<eos>"
    return Around(bos if begins and bos in ids else None, eos if ends and eos in ids else None)


def _document(model: SpmModel, special: dict[str, int], processor: Document | None) -> Document:
    entries = [added_token(number, token) for token, number in special.items()]
    entries += [
        {**added_token(number, token), "special": False}
        for token, number in model.of_kind(USER_DEFINED).items()
    ]
    return document(
        _MODELS[model.algorithm](model, special),
        added_tokens=sorted(entries, key=lambda entry: entry["id"]),
        normalizer={"type": "Sequence", "normalizers": _normalizers(model)},
        pre_tokenizer=_words(model),
        post_processor=processor,
        decoder={"type": "Sequence", "decoders": _decoders(model)},
    )


def _replace(pattern: str, content: str, kind: str = "Regex") -> Document:
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def _normalizers(model: SpmModel) -> list[Document]:
    space = SPACE if model.escape_spaces else " "
    steps: list[Document] = []
    if model.charsmap:
        rules = base64.b64encode(model.charsmap).decode()
        steps.append({"type": "Precompiled", "precompiled_charsmap": rules})
    if model.remove_spaces:
        steps.append(_replace(rf"\A +|[ {space}]+\z", ""))
        steps.append(_replace(" {2,}", " "))
    if model.dummy_prefix:
        at_end = _replace(r"\z", space)
        steps.append(at_end if model.space_as_suffix else {"type": "Prepend", "prepend": space})
    if model.escape_spaces:
        steps.append(_replace(" ", SPACE, "String"))
    return steps


def _words(model: SpmModel) -> Document | None:
    """Cuts before each mark of a space, where no piece goes across one."""
    across = any(SPACE in piece.text[1:] for piece in model.pieces)
    if across or not model.escape_spaces or model.space_as_suffix:
        return None
    return {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "never", "split": True}


def _decoders(model: SpmModel) -> list[Document]:
    steps = [_replace(SPACE, " ", "String")]
    if model.byte_fallback:
        steps.append({"type": "ByteFallback"})
    steps.append({"type": "Fuse"})
    if model.dummy_prefix and not model.space_as_suffix:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return steps


def _unigram(model: SpmModel, special: dict[str, int]) -> Document:
    vocabulary: list[list[object]] = [[piece.text, piece.score] for piece in model.pieces]
    vocabulary += [[token, 0.0] for token, number in special.items() if number >= len(vocabulary)]
    return {
        "type": "Unigram",
        "unk_id": model.unknown_id,
        "vocab": vocabulary,
        "byte_fallback": model.byte_fallback,
    }


def _bpe(model: SpmModel, special: dict[str, int]) -> Document:
    """The pairs that make each piece, the best piece first."""
    joins = model.of_kind(NORMAL, USER_DEFINED)
    ranked: list[tuple[float, int, int, int, str, str]] = []
    for whole, number in joins.items():
        for i in range(1, len(whole)):
            left, right = whole[:i], whole[i:]
            if left in joins and right in joins:
                score = -model.pieces[number].score
                ranked.append((score, number, joins[left], joins[right], left, right))
    return {
        **_char(model, special),
        "merges": [[left, right] for *_, left, right in sorted(ranked)],
    }


def _char(model: SpmModel, special: dict[str, int]) -> Document:
    return bpe_model(
        model.vocabulary,
        [],
        unk_token=model.pieces[model.unknown_id].text,
        fuse_unk=True,
        byte_fallback=model.byte_fallback,
    )


def _word(model: SpmModel, special: dict[str, int]) -> Document:
    unknown = model.pieces[model.unknown_id].text
    return {"type": "WordLevel", "unk_token": unknown, "vocab": model.vocabulary}


_MODELS = {"unigram": _unigram, "bpe": _bpe, "word": _word, "char": _char}
