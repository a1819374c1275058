"""Raw bytes as tensors, and the error of a file that is not what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from headway.errors import CheckpointError, ConfigError

__all__ = ["KINDS", "collected", "damaged", "needs_extra", "plain_tensor"]

KINDS = {
    "bfloat16": torch.bfloat16,
    "bool": torch.bool,
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
}
"""numpy's name of a type of numbers -> torch's."""


def plain_tensor(data: bytes | memoryview, kind: str, shape: Sequence[int]) -> Tensor:
    """Numbers laid row by row, lowest byte first, as a tensor that owns its memory.

    Args:
        data: exactly the tensor's bytes.
        kind: key of KINDS.
        shape: of the tensor.

    Raises:
        ValueError: the kind is not known, or the shape wants another number of bytes.

    >>> plain_tensor(bytes([0, 0, 128, 63]), "float32", [1, 1])
    tensor([[1.]])
    """
    if kind not in KINDS:
        raise ValueError(f"numbers of the type {kind!r:.40}, not {', '.join(KINDS)}")
    wanted = math.prod(shape) * KINDS[kind].itemsize
    if any(type(size) is not int or size < 0 for size in shape) or wanted != len(data):
        raise ValueError(f"{len(data)} bytes for a tensor {list(shape)!r:.80} of {kind}")
    if not data:
        return torch.empty(tuple(shape), dtype=KINDS[kind])
    return torch.frombuffer(bytearray(data), dtype=KINDS[kind]).reshape(tuple(shape))


def collected(pairs: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Named tensors as a dict.

    Raises:
        ValueError: a name comes twice.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in pairs:
        if name in found:
            raise ValueError(f"two tensors called {name!r:.80}")
        found[name] = tensor
    return found


def damaged(path: Path, what: object) -> CheckpointError:
    """The error of a file that is cut short, has wrong bytes, or lies."""
    return CheckpointError(
        f"{path} is cut short or corrupt: {what}", next_step="copy or download it again"
    )


def needs_extra(path: Path, package: str, extra: str) -> ConfigError:
    """The error of a file whose format needs a package that is not installed."""
    return ConfigError(
        f"{path} is read with {package}, which is not installed",
        next_step=f"pip install 'headway[{extra}]'",
    )
