"""The tokenizer of a GGUF file, as ggml's programs read it.

Its tokens, their types and scores stand among the names and values before the weights, below
`tokenizer.ggml.`; which kind of tokenizer they make, `tokenizer.ggml.model` says. Sources:
https://github.com/ggml-org/llama.cpp (src/llama-vocab.cpp, convert_hf_to_gguf.py).

Control tokens in a text are taken for what they stand for, as from a tokenizer.json. Roles, the
length of the context and the chat template come along as a tokenizer_config.json would say them.
"""

from __future__ import annotations

import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from headway.errors import TokenizerError, nearest
from headway.ggml.container import read_metadata
from headway.logs import log
from headway.tokenizer.checks import Fields
from headway.tokenizer.formats.documents import (
    Around,
    Content,
    Document,
    added_token,
    bpe_model,
    document,
)
from headway.tokenizer.formats.gguf_splits import SPLITS
from headway.tokenizer.formats.sentencepiece import spm_content
from headway.tokenizer.formats.sentencepiece_model import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    USER_DEFINED,
    Sentencepiece,
    SpmModel,
)
from headway.tokenizer.formats.wordpiece_vocab import wordpiece_document
from headway.tokenizer.split_patterns import byte_level
from headway.tokenizer.vocabulary import checked_vocabulary

__all__ = ["GGUF_MODELS", "ROLES", "read_gguf"]

_SPACE = "\u2581"
ROLES = {
    "bos": "bos_token_id",
    "eos": "eos_token_id",
    "unk": "unknown_token_id",
    "sep": "seperator_token_id",  # so spelt in the format
    "pad": "padding_token_id",
    "cls": "cls_token_id",
    "mask": "mask_token_id",
}
"""Role -> key of its token's number."""


class _Vocabulary(NamedTuple):
    """What a file says of its tokens, checked."""

    place: str
    fields: Fields
    tokens: list[str]
    kinds: list[int]
    roles: dict[str, int]

    def of_kind(self, *kinds: int) -> dict[str, int]:
        return {t: i for i, t in enumerate(self.tokens) if self.kinds[i] in kinds}

    def around(self, *, begins: bool, ends: bool) -> Around:
        """The tokens before and after a text, from what holds where the file says nothing."""
        return Around(
            self._role("bos") if self.fields.flag("add_bos_token", begins) else None,
            self._role("eos") if self.fields.flag("add_eos_token", ends) else None,
        )

    def _role(self, role: str) -> str:
        if role not in self.roles:
            raise TokenizerError(
                f"{self.place} puts a token around texts, and {ROLES[role]} does not say which",
                next_step=f"set tokenizer.ggml.{ROLES[role]} in the file",
            )
        return self.tokens[self.roles[role]]


def read_gguf(path: Path, config: dict[str, Any]) -> Content:
    """The tokenizer.json that is equivalent to what a GGUF file says.

    Args:
        path: the file.
        config: what a tokenizer_config.json beside it says, which counts more for the roles.
    """
    metadata = read_metadata(path, TokenizerError)
    prefix = "tokenizer.ggml."
    own = {k.removeprefix(prefix): v for k, v in metadata.items() if k.startswith(prefix)}
    fields = Fields(own, f"{path}: {prefix.rstrip('.')}")
    kind = fields.text("model")
    if kind not in GGUF_MODELS:
        raise TokenizerError(
            f"{fields.place}.model is {kind!r:.60} {nearest(kind, GGUF_MODELS)}".rstrip(),
            allowed=", ".join(GGUF_MODELS),
        )
    defaults, read = GGUF_MODELS[kind]
    vocabulary = _vocabulary(fields, defaults, str(path))
    content = read(vocabulary)
    return content._replace(config=_config(vocabulary, metadata))


def _vocabulary(fields: Fields, defaults: dict[str, int], place: str) -> _Vocabulary:
    tokens = [
        token if token != "" else f"[EMPTY_{i}]"  # as llama.cpp calls it
        for i, token in enumerate(fields.items("tokens"))
    ]
    checked_vocabulary(((token, i) for i, token in enumerate(tokens)), f"{fields.place}.tokens")
    kinds = _numbers(fields, "token_type", len(tokens)) or [NORMAL] * len(tokens)
    wrong = next((i for i, kind in enumerate(kinds) if kind not in range(NORMAL, BYTE + 1)), None)
    if wrong is not None:
        raise TokenizerError(
            f"{fields.place}.token_type[{wrong}] is {kinds[wrong]!r}", allowed="1 to 6"
        )
    return _Vocabulary(place, fields, tokens, kinds, _roles(fields, defaults, len(tokens)))


def _roles(fields: Fields, defaults: dict[str, int], size: int) -> dict[str, int]:
    roles = {role: number for role, number in defaults.items() if number < size}
    for role, name in ROLES.items():
        if name not in fields.values:
            continue
        roles[role] = fields.count(name)
        if roles[role] >= size:
            raise TokenizerError(
                f"{fields.place}.{name} is {roles[role]}", allowed=f"less than {size} tokens"
            )
    return roles


def _numbers(fields: Fields, name: str, size: int) -> list[Any]:
    """An array of one number a token, or nothing."""
    if name not in fields.values:
        return []
    numbers = fields.values[name]
    if not isinstance(numbers, array.array) or len(numbers) != size:
        what = (
            f"{len(numbers)} items"
            if isinstance(numbers, array.array | list)
            else f"{numbers!r:.40}"
        )
        raise TokenizerError(
            f"{fields.place}.{name} is {what}", allowed=f"a number for each of {size} tokens"
        )
    return numbers.tolist()


def _config(vocabulary: _Vocabulary, metadata: dict[str, Any]) -> dict[str, Any]:
    """What a tokenizer_config.json would say."""
    config: dict[str, Any] = {
        f"{role}_token": vocabulary.tokens[number] for role, number in vocabulary.roles.items()
    }
    length = metadata.get(f"{metadata.get('general.architecture')}.context_length")
    if isinstance(length, int):
        config["model_max_length"] = length
    if isinstance(metadata.get("tokenizer.chat_template"), str):
        config["chat_template"] = metadata["tokenizer.chat_template"]
    return config


def _added(vocabulary: _Vocabulary) -> list[Document]:
    special = vocabulary.of_kind(CONTROL, UNKNOWN)
    plain = vocabulary.of_kind(USER_DEFINED)
    entries = [added_token(number, token) for token, number in special.items()]
    entries += [{**added_token(number, token), "special": False} for token, number in plain.items()]
    return sorted(entries, key=lambda entry: entry["id"])


def _read_bpe(vocabulary: _Vocabulary) -> Content:
    """gpt2: byte-level BPE, whose split pattern has a name."""
    fields = vocabulary.fields
    name = fields.text("pre", "default")
    if "pre" not in fields.values:
        log.warning(
            "%s does not say how texts are split (pre): the default may be wrong", fields.place
        )
    if name not in SPLITS:
        raise TokenizerError(
            f"{fields.place}.pre is {name!r:.60} {nearest(name, SPLITS)}".rstrip(),
            allowed=", ".join(SPLITS),
            next_step="use the tokenizer.json of the same model",
        )
    split = SPLITS[name]
    ids = {token: number for number, token in enumerate(vocabulary.tokens)}
    around = vocabulary.around(begins=split.begins, ends=False)
    return Content(
        document(
            bpe_model(ids, _merges(fields), ignore_merges=split.ignore_merges),
            added_tokens=_added(vocabulary),
            normalizer=split.normalizer,
            pre_tokenizer=split.pretokenizer,
            post_processor=around.template(ids),
            decoder=byte_level(),
        )
    )


def _merges(fields: Fields) -> list[list[str]]:
    merges = []
    for i, merge in enumerate(fields.items("merges")):
        # A token may be a space, so the space between the two is not the first character.
        place = merge.find(" ", 1) if isinstance(merge, str) else -1
        if place < 0:
            raise TokenizerError(
                f"{fields.place}.merges[{i}] is {merge!r:.60}",
                allowed="two tokens and a space between",
            )
        merges.append([merge[:place], merge[place + 1 :]])
    return merges


def _read_spm_bpe(vocabulary: _Vocabulary) -> Content:
    """llama: SentencePiece's BPE, by scores."""
    return _read_spm(vocabulary, "bpe", prefix_space=True, begins=True, ends=False)


def _read_spm_unigram(vocabulary: _Vocabulary) -> Content:
    """t5: SentencePiece's Unigram, with its rules of normalization."""
    return _read_spm(vocabulary, "unigram", prefix_space=False, begins=False, ends=True)


def _read_spm(
    vocabulary: _Vocabulary, algorithm: str, *, prefix_space: bool, begins: bool, ends: bool
) -> Content:
    fields = vocabulary.fields
    kinds = [*vocabulary.kinds]
    if UNKNOWN not in kinds and "unk" in vocabulary.roles:
        kinds[vocabulary.roles["unk"]] = UNKNOWN
    scores = _numbers(fields, "scores", len(kinds))
    if not scores:
        raise TokenizerError(f"{fields.place} has no scores", allowed="a number for each token")
    model = SpmModel(
        [
            Sentencepiece(token, float(score), kind)
            for token, score, kind in zip(vocabulary.tokens, scores, kinds, strict=True)
        ],
        algorithm=algorithm,
        byte_fallback=BYTE in kinds,
        charsmap=_charsmap(fields),
        dummy_prefix=fields.flag("add_space_prefix", prefix_space),
        remove_spaces=fields.flag("remove_extra_whitespaces", False),
    )
    model.check(vocabulary.place)
    special = {**model.of_kind(CONTROL, UNKNOWN)}
    around = vocabulary.around(begins=begins, ends=ends).template({**model.vocabulary, **special})
    return spm_content(model, special, around, vocabulary.place, in_text=True)


def _charsmap(fields: Fields) -> bytes:
    rules = fields.values.get("precompiled_charsmap", array.array("B"))
    if not isinstance(rules, array.array) or rules.itemsize != 1:
        raise TokenizerError(
            f"{fields.place}.precompiled_charsmap is {type(rules).__name__}", allowed="bytes"
        )
    return rules.tobytes()


def _read_wordpiece(vocabulary: _Vocabulary) -> Content:
    """bert: WordPiece, with `▁` where a word begins instead of `##` where none does."""
    tokens = zip(vocabulary.tokens, vocabulary.kinds, strict=True)
    ids = ((_as_in_bert(token, kind), number) for number, (token, kind) in enumerate(tokens))
    checked = checked_vocabulary(ids, f"{vocabulary.fields.place}.tokens")
    return Content(wordpiece_document(checked, Fields({}, vocabulary.place), vocabulary.place))


def _as_in_bert(token: str, kind: int) -> str:
    if kind == CONTROL or (token.startswith("[") and token.endswith("]")):
        return token
    return token.removeprefix(_SPACE) if token.startswith(_SPACE) else f"##{token}"


# model -> the roles' ids where the file does not say them, and what reads the rest
GGUF_MODELS: dict[str, tuple[dict[str, int], Callable[[_Vocabulary], Content]]] = {
    "bert": ({"cls": 101, "unk": 100, "sep": 102, "pad": 0, "mask": 103}, _read_wordpiece),
    "gpt2": ({}, _read_bpe),
    "llama": ({"bos": 1, "eos": 2, "unk": 0}, _read_spm_bpe),
    "t5": ({"eos": 1, "unk": 2, "pad": 0}, _read_spm_unigram),
}
