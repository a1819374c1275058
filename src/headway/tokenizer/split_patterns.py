"""The patterns that cut a text into words before byte-level BPE, as published with the models.

Each one keeps every character of a text, and the native engine matches it by hand.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CL100K", "DEEPSEEK_3", "GPT_2", "GPT_4", "GPT_4O", "QWEN_2", "TEKKEN", "byte_level"]

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACES = r"\s+(?!\S)|\s+"


def _gpt4(digits: str, ending: str = "") -> str:
    return (
        rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{ending}\s*[\r\n]+|{_SPACES}"
    )


_CAPITALS, _SMALL = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def _gpt4o(contractions: str, digits: str) -> str:
    return (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}*{_SMALL}+{contractions}|"
        rf"[^\r\n\p{{L}}\p{{N}}]?{_CAPITALS}+{_SMALL}*{contractions}|"
        rf"\p{{N}}{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|{_SPACES}"
    )


GPT_2 = rf"'s|'t|'re|'ve|'m|'ll|'d| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|{_SPACES}"
GPT_4 = _gpt4("{1,3}")
"""Also that of Llama 3."""
CL100K = _gpt4("{1,3}", r"\s+\z|")
"""GPT-4's as tiktoken has it since 0.9: spaces at the very end stay together."""
GPT_4O = _gpt4o(f"{_CONTRACTIONS}?", "{1,3}")
QWEN_2 = _gpt4("")
TEKKEN = _gpt4o("", "")
"""Mistral's."""
DEEPSEEK_3 = (
    r"\p{N}{1,3}",
    "[一-龥\u3040-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    rf"| ?[\p{{P}}\p{{S}}]+[\r\n]*|\s*[\r\n]+|{_SPACES}",
)
"""Three, of which each cuts what the ones before it have left."""


def byte_level(*patterns: str, digits: bool = False) -> dict[str, Any]:
    """The pre-tokenizer that cuts by patterns and writes words in the alphabet of bytes.

    Args:
        *patterns: what cuts, one after the other.
        digits: each digit is a word of its own.

    >>> byte_level(GPT_2)
    {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True}
    """
    by_gpt2 = patterns == (GPT_2,)
    written = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": by_gpt2,
    }
    steps = [{"type": "Digits", "individual_digits": True}] if digits else []
    steps += [_split(pattern) for pattern in (() if by_gpt2 else patterns)]
    return {"type": "Sequence", "pretokenizers": [*steps, written]} if steps else written


def _split(pattern: str) -> dict[str, Any]:
    return {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }
