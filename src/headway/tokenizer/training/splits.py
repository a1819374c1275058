"""The patterns that cut a text into words before byte-level BPE, by name."""

from __future__ import annotations

from headway.tokenizer.split_patterns import GPT_4, GPT_4O, QWEN_2

__all__ = ["SPLITS"]

SPLITS: dict[str, str | None] = {
    "gpt-2": None,  # is part of the ByteLevel pre-tokenizer
    "gpt-4": GPT_4,
    "gpt-4o": GPT_4O,
    "qwen-2": QWEN_2,
}
"""Name -> pattern. Llama 3 has that of GPT-4."""
