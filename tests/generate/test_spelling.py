"""What tokens spell is what the tokenizer writes."""

from __future__ import annotations

import random
from typing import Any

import pytest
from training.tiny import words_tokenizer

from headway.errors import ConfigError
from headway.generate.spelling import spelling_of
from headway.tokenizer import Tokenizer

from .letters import letters_tokenizer


def metaspace_tokenizer(decoder: dict[str, Any] | None = None) -> Tokenizer:
    """Words behind a mark for spaces, and bytes for all else, as Llama has them."""
    words = ["▁", "▁yes", "yes", "▁no", "no", "▁y", "e", "s", "'s"]
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    return Tokenizer.from_document(
        {
            "added_tokens": [
                {"id": n, "content": names[n], "special": True, "single_word": False,
                 "lstrip": False, "rstrip": False, "normalized": False}
                for n in range(3)
            ],
            "normalizer": {"type": "Prepend", "prepend": "▁"},
            "decoder": decoder or {
                "type": "Sequence",
                "decoders": [
                    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                    {"type": "ByteFallback"},
                    {"type": "Fuse"},
                    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
                ],
            },
            "model": {
                "type": "BPE",
                "byte_fallback": True,
                "unk_token": "<unk>",
                "vocab": {name: number for number, name in enumerate(names)},
                "merges": [],
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize("make", [letters_tokenizer, metaspace_tokenizer, words_tokenizer])
def test_texts_are_their_tokens_one_after_the_other(make: Any) -> None:
    tokenizer = make()
    spelling, draw = spelling_of(tokenizer), random.Random(0)
    assert spelling_of(tokenizer) is spelling
    able = [n for n, spelt in enumerate(spelling.later) if spelt]
    tried = 0
    for _ in range(300):
        ids = draw.choices(able, k=draw.randint(1, 6))
        data = spelling.first[ids[0]] + b"".join(spelling.later[id] for id in ids[1:])
        try:
            wanted = data.decode()
        except UnicodeDecodeError:
            continue
        tried += 1
        assert tokenizer.decode(ids) == wanted
    assert tried > 20


def test_special_tokens_spell_nothing() -> None:
    spelling = spelling_of(metaspace_tokenizer())
    assert [spelling.later[n] for n in range(3)] == [b""] * 3
    assert spelling.later[3 + 0xC3] == b"\xc3"
    assert (spelling.first[259], spelling.later[259]) == (b"", b" ")
    assert (spelling.first[260], spelling.later[260]) == (b"yes", b" yes")


def test_texts_that_are_more_than_their_tokens_are_refused() -> None:
    rewriting = {"type": "Sequence", "decoders": [
        {"type": "Fuse"}, {"type": "Replace", "pattern": {"Regex": "[a-z<]{2}"}, "content": "_"},
    ]}  # fmt: skip
    with pytest.raises(ConfigError, match=r"where its tokens spell|no token of plain letters"):
        spelling_of(metaspace_tokenizer(rewriting))
    with pytest.raises(ConfigError, match="no token of plain letters"):
        spelling_of(Tokenizer.from_document({"model": {"type": "BPE", "vocab": {}, "merges": []}}))
