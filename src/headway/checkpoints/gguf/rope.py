"""Stretched rotary positions as a GGUF says them: keys, or a tensor of divisors (Llama 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from headway.core.positions import llama3_frequencies, rotary_frequencies
from headway.errors import CheckpointError

__all__ = ["DIVISORS", "KEYS", "divisors_of", "read_scaling"]

DIVISORS = "rope_freqs.weight"
"""The tensor that divides each pair's frequency."""

KEYS = ("type", "factor", "original_context_length")
"""Below rope.scaling.; `none` and no type at all mean that nothing is stretched."""

RELEASED = ((1.0, 4.0, 8192),)
"""(low, high, original) that Llama 3.1 to 3.3 were released with; the factors differ."""


def read_scaling(
    said: Mapping[str, Any], divisors: Tensor | None, size: int, base: float, place: str
) -> dict[str, Any] | None:
    """What config.json has in rope_scaling, or None.

    Args:
        said: values below rope.scaling.
        divisors: float32 [size / 2], or None.
        size: of a head.
        base: of the frequencies.
        place: the file, for messages.

    Raises:
        CheckpointError: divisors that are not those of Llama 3's rule.
    """
    if divisors is not None:
        return _llama3(divisors, size, base, place)
    kind = said.get("type", "none")
    if kind == "none":
        return None
    scaling = {"rope_type": kind, "factor": said.get("factor")}
    if kind != "linear":
        scaling["original_max_position_embeddings"] = said.get("original_context_length")
    return {key: value for key, value in scaling.items() if value is not None}


def divisors_of(scaling: Mapping[str, Any], size: int, base: float) -> Tensor:
    """The tensor of Llama 3's rule: float32 [size / 2].

    >>> scaling = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    ...            "original_max_position_embeddings": 8192}
    >>> divisors_of(scaling, 64, 5e5)[[0, -1]]
    tensor([1., 8.])
    """
    stretched = llama3_frequencies(
        size,
        base,
        factor=scaling["factor"],
        low=scaling["low_freq_factor"],
        high=scaling["high_freq_factor"],
        original=scaling["original_max_position_embeddings"],
    )
    return rotary_frequencies(size, base) / stretched


def _llama3(divisors: Tensor, size: int, base: float, place: str) -> dict[str, Any] | None:
    if bool((divisors == 1).all()):
        return None
    factor = round(float(divisors.max()), 4)
    for low, high, original in RELEASED:
        scaling = {
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low,
            "high_freq_factor": high,
            "original_max_position_embeddings": original,
        }
        if divisors.shape == (size // 2,) and torch.allclose(
            divisors, divisors_of(scaling, size, base), rtol=1e-4
        ):
            return scaling
    raise CheckpointError(
        f"{place}: {DIVISORS} divides the frequencies in a way that is not known",
        allowed="Llama 3.1's rule, for texts of 8192 tokens in the first training",
        next_step="use the model's safetensors, whose config.json says the rule",
    )
