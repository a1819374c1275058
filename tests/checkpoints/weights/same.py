"""What the tests of all these formats ask."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from checkpoints.models import loaded
from headway.errors import CheckpointError


def assert_same_model(folder: Path, other: Path) -> Any:
    """Both folders hold one model; returns the first's."""
    model, wanted = loaded(folder), loaded(other)
    ours, theirs = model.state_dict(), wanted.state_dict()
    assert ours.keys() == theirs.keys()
    assert model.task == wanted.task
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), name
    return model


def assert_survives(
    path: Path, read: Callable[[Path], dict[str, Tensor]], draw: random.Random, *, tries: int = 150
) -> int:
    """Cut or with wrong bytes, a file gives one error, or no more tensors than it has bytes.

    Returns how often it gave tensors.
    """
    whole, good = path.read_bytes(), 0
    for number in range(tries):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[draw.randrange(len(content)) :]
        else:
            for _ in range(draw.choice([1, 1, 2, 4])):
                content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        try:
            found = read(path)
        except CheckpointError as error:
            assert str(path.parent) in str(error)
        else:
            good += 1
            assert sum(tensor.nbytes for tensor in found.values()) <= len(whole)
    path.write_bytes(whole)
    return good
