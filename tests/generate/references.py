"""Small models of the reference library and what they write, alone and padded in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from checkpoints.models import random_case, reference, write
from contracts import Case

from headway.loading import load
from headway.model import Model

TASKS = {
    "gpt2": "text-generation",
    "llama": "text-generation",
    "t5": "text2text-generation",
}

PAD = 0


def case_of(kind: str, seed: int) -> Case:
    """A random model with room for some tokens, without an end token."""
    case = random_case(kind, seed)
    for key in ("n_positions", "max_position_embeddings"):
        if hasattr(case.config, key):
            setattr(case.config, key, 40)
    if kind == "t5":  # the reference's cache counts the encoder's layers
        case.config.num_decoder_layers = case.config.num_layers
    case.config.eos_token_id = None
    return case


def pair(
    kind: str, seed: int, folder: Path, dtype: torch.dtype = torch.float64
) -> tuple[Case, Any, Model]:
    """A case, the reference's model and ours with its weights.

    Double precision keeps the order of tokens that are nearly as likely; the reference's padding
    wants single.
    """
    case = case_of(kind, seed)
    theirs = reference(case, TASKS[kind])
    return case, theirs.to(dtype), load(write(theirs, folder), dtype=dtype)


def written_alone(theirs: Any, prompts: list[list[int]], **options: Any) -> list[list[int]]:
    """The new tokens behind each prompt alone, up to the end token; `num_return_sequences` each."""
    return [new for prompt in prompts for new in written_padded(theirs, [prompt], **options)]


def written_padded(theirs: Any, prompts: list[list[int]], **options: Any) -> list[list[int]]:
    """The same from one batch of prompts, padded at the left (encoders: at the right)."""
    longest = max(map(len, prompts))
    seq2seq = theirs.config.is_encoder_decoder
    rows, masks = [], []
    for prompt in prompts:
        padding = longest - len(prompt)
        sides = (0, padding) if seq2seq else (padding, 0)
        rows.append([PAD] * sides[0] + prompt + [PAD] * sides[1])
        masks.append([0] * sides[0] + [1] * len(prompt) + [0] * sides[1])
    stops = options.get("eos_token_id")
    out = theirs.generate(
        torch.tensor(rows),
        attention_mask=torch.tensor(masks),
        pad_token_id=PAD,
        **{"do_sample": False, "eos_token_id": None, **options},
    )
    start = 1 if seq2seq else longest
    return [_until(row[start:].tolist(), stops) for row in out]


def _until(new: list[int], stops: int | list[int] | None) -> list[int]:
    ends = {stops} if isinstance(stops, int) else set(stops or ())
    places = [place for place, token in enumerate(new) if token in ends]
    return new[: places[0]] if places else new
