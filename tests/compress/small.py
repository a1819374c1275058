"""Small models with one block, and their twins of the reference library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from checkpoints.models import loaded, random_case, reference, write
from contracts import Case

LAYERS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers", "num_decoder_layers")

ONE_BY_ONE = {"albert", "longformer", "modernbert"}
"""Configs that say something of each block, which stay as they are drawn."""


def pair(kind: str, task: str | None, folder: Path, seed: int = 0) -> tuple[Any, Any, Case]:
    """Ours, theirs, and the case they were drawn for; tracing costs seconds a block."""
    case = random_case(kind, seed)
    for key in LAYERS:
        if hasattr(case.config, key) and kind not in ONE_BY_ONE:
            setattr(case.config, key, 1)
    theirs = reference(case, task)
    return loaded(write(theirs, folder)), theirs, case


def batch(case: Case, lengths: tuple[int, ...], seed: int = 0) -> dict[str, np.ndarray]:
    """Texts padded behind, with an id that RoBERTa reads as padding."""
    texts, padding = case.some_texts(lengths, seed), case.config.pad_token_id or 0
    ids = np.full((len(texts), max(lengths)), padding, np.int64)
    mask = np.zeros_like(ids)
    for row, marks, text in zip(ids, mask, texts, strict=True):
        row[: len(text)] = text
        marks[: len(text)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def expected(theirs: Any, inputs: dict[str, np.ndarray], **more: np.ndarray) -> Any:
    """What the reference gives."""
    with torch.no_grad():
        return theirs(**{name: torch.from_numpy(a) for name, a in {**inputs, **more}.items()})


def differs(ours: np.ndarray, theirs: torch.Tensor, mask: np.ndarray | None = None) -> float:
    """The largest difference at tokens; without a mask, everywhere."""
    found = np.abs(ours - theirs.numpy())
    return float((found if mask is None else found[mask == 1]).max())
