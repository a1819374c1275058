"""The split patterns that a GGUF file names (`tokenizer.ggml.pre`).

A pattern that llama.cpp writes in a way of its own is here as the model's tokenizer.json has it.
Source: https://github.com/ggml-org/llama.cpp (src/llama-vocab.cpp).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from headway.tokenizer.split_patterns import (
    DEEPSEEK_3,
    GPT_2,
    GPT_4,
    GPT_4O,
    QWEN_2,
    TEKKEN,
    byte_level,
)

__all__ = ["SPLITS", "Split"]


class Split(NamedTuple):
    """What a name stands for.

    Attributes:
        pretokenizer: what cuts a text.
        ignore_merges: a word that is a token is one, however it would be merged.
        begins: a token begins each text where the file does not say whether one does.
        normalizer: what is done to a text first, or None.
    """

    pretokenizer: dict[str, Any]
    ignore_merges: bool = False
    begins: bool = False
    normalizer: dict[str, Any] | None = None


_DEFAULT = byte_level(r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", "[0-9][0-9][0-9]")
_LLAMA_3 = Split(byte_level(GPT_4), ignore_merges=True, begins=True)
_DIGITS = Split(byte_level(GPT_2, digits=True))

SPLITS: dict[str, Split] = {
    "default": Split(_DEFAULT),
    "deepseek-v3": Split(byte_level(*DEEPSEEK_3)),
    "gpt-2": Split(byte_level(GPT_2)),
    "gpt-4o": Split(byte_level(GPT_4O)),
    "llama-bpe": _LLAMA_3,
    "llama-v3": _LLAMA_3,
    "llama3": _LLAMA_3,
    "phi-2": Split(byte_level(GPT_2)),
    "qwen2": Split(byte_level(QWEN_2), normalizer={"type": "NFC"}),
    "refact": _DIGITS,
    "smollm": _DIGITS,
    "starcoder": _DIGITS,
    "tekken": Split(byte_level(TEKKEN), ignore_merges=True, begins=True),
}
"""Name -> what it stands for."""
