"""What a file of ranks does not say: the split pattern and the special tokens of its encoding.

Sources: https://github.com/openai/tiktoken (tiktoken_ext/openai_public.py),
https://github.com/meta-llama/llama3 (llama/tokenizer.py),
https://github.com/meta-llama/llama-models (models/llama3/tokenizer.py),
https://github.com/QwenLM/Qwen (tokenization_note.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from headway.tokenizer.split_patterns import CL100K, GPT_2, GPT_4, GPT_4O, QWEN_2

__all__ = ["ENCODINGS", "RankEncoding"]


class RankEncoding(NamedTuple):
    """How texts are cut for a vocabulary of ranks.

    Attributes:
        pattern: what cuts a text into words.
        special: the special tokens and their ids, for a number of ranks.
        normalizer: what is done to a text first, or None.
        before: the special token before each text, unless a configuration says otherwise.
    """

    pattern: str
    special: Callable[[int], dict[str, int]]
    normalizer: dict[str, Any] | None = None
    before: str = ""


_END, _END_OF_PROMPT = "<|endoftext|>", "<|endofprompt|>"
_FILL = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")


def _at(first: int, *tokens: str) -> dict[str, int]:
    return {token: first + i for i, token in enumerate(tokens)}


def _fixed(special: dict[str, int]) -> Callable[[int], dict[str, int]]:
    """The same ids for any number of ranks."""
    return lambda ranks: special


def _harmony() -> dict[str, int]:
    named = {
        **_at(199998, "<|startoftext|>", _END),
        **_at(200002, "<|return|>", "<|constrain|>"),
        **_at(200005, "<|channel|>", "<|start|>", "<|end|>", "<|message|>"),
        "<|call|>": 200012,
        # tiktoken gives this id a second name, <|reserved_200018|>; one id is one token here.
        _END_OF_PROMPT: 200018,
    }
    reserved = {*range(200000, 201088)} - {*named.values()}
    return {**named, **{f"<|reserved_{number}|>": number for number in sorted(reserved)}}


def _reserved(*numbers: int) -> list[str]:
    return [f"<|reserved_special_token_{number}|>" for number in numbers]


def _llama3(ranks: int) -> dict[str, int]:
    return _at(
        ranks,
        *("<|begin_of_text|>", "<|end_of_text|>", *_reserved(0, 1, 2, 3)),
        *("<|start_header_id|>", "<|end_header_id|>", *_reserved(4), "<|eot_id|>"),
        *_reserved(*range(5, 251)),
    )


def _llama31(ranks: int) -> dict[str, int]:
    return _at(
        ranks,
        *("<|begin_of_text|>", "<|end_of_text|>", *_reserved(0, 1)),
        *("<|finetune_right_pad_id|>", *_reserved(2)),
        *("<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"),
        *("<|python_tag|>", *_reserved(*range(3, 248))),
    )


def _qwen(ranks: int) -> dict[str, int]:
    extra = [f"<|extra_{number}|>" for number in range(205)]
    return _at(ranks, _END, "<|im_start|>", "<|im_end|>", *extra)


def _qwen2(ranks: int) -> dict[str, int]:
    return _at(ranks, _END, "<|im_start|>", "<|im_end|>")


_NFC = {"type": "NFC"}

ENCODINGS: dict[str, RankEncoding] = {
    "gpt2": RankEncoding(GPT_2, _fixed({_END: 50256})),
    "r50k_base": RankEncoding(GPT_2, _fixed({_END: 50256})),
    "p50k_base": RankEncoding(GPT_2, _fixed({_END: 50256})),
    "p50k_edit": RankEncoding(GPT_2, _fixed({_END: 50256, **_at(50281, *_FILL)})),
    "cl100k_base": RankEncoding(
        CL100K, _fixed({**_at(100257, _END, *_FILL), _END_OF_PROMPT: 100276})
    ),
    "o200k_base": RankEncoding(GPT_4O, _fixed({_END: 199999, _END_OF_PROMPT: 200018})),
    "o200k_harmony": RankEncoding(GPT_4O, _fixed(_harmony())),
    "llama-3": RankEncoding(GPT_4, _llama3, before="<|begin_of_text|>"),
    "llama-3.1": RankEncoding(GPT_4, _llama31, before="<|begin_of_text|>"),
    "qwen": RankEncoding(QWEN_2, _qwen, _NFC),
    "qwen2": RankEncoding(QWEN_2, _qwen2, _NFC),
}
"""Name of the encoding, which is that of its file -> the encoding."""
