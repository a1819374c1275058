"""What makes a model the one that it is: for a run that goes on, and for the name that it bears."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from headway.model import Model

__all__ = ["changing_weights", "digest_of", "identity_of"]

DIGESTED = 64
"""Values of each tensor that its hash sees."""


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """One hash of names, shapes, dtypes, and the first values of each: tells models apart.

    >>> import torch
    >>> digest_of({"a": torch.zeros(2)}) == digest_of({"a": torch.zeros(2, 1)})
    False
    """
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        found.update(str(tensor.detach().flatten()[:DIGESTED].tolist()).encode())
    return found.hexdigest()


def identity_of(model: Model) -> dict[str, str]:
    """Hashes of its parameters, of what config.json says of its computations, such as rates of
    dropout, and of what its tokenizer makes of a text."""
    checkpoint = model.checkpoint
    config = json.dumps(checkpoint.family.to_hf(checkpoint.config), sort_keys=True)
    return {
        "model": digest_of(dict(model.named_parameters())),
        "config": f"sha256:{hashlib.sha256(config.encode()).hexdigest()}",
        "tokenizer": model.need_tokenizer().fingerprint,
    }


@contextmanager
def changing_weights(model: Model, given: Model) -> Iterator[None]:
    """A model learns inside: behind it, it is no longer the one that its name leads to, and nothing
    of it is new.

    Args:
        model: that learns.
        given: that it was made of, or the same; it loses its name too where the two share weights.
    """
    try:
        yield
    finally:
        if not set(given.parameters()).isdisjoint(model.parameters()):
            given.source = ""
        model.source = ""
        model.checkpoint.fresh = frozenset()
