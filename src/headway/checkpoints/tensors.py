"""A folder's weights as tensors: safetensors, whole or in shards; .bin only as plain weights.

Formats: safetensors (a JSON header and raw numbers), its index file, and torch's weights-only
reading of `pytorch_model.bin`, which builds tensors and plain containers and nothing else.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from headway.errors import CheckpointError

__all__ = ["WEIGHT_FILES", "read_json", "read_tensors", "write_tensors"]

WHOLE = "model.safetensors"
WEIGHT_FILES = (
    "model*.safetensors",
    "model.safetensors.index.json",
    "pytorch_model*.bin",
    "pytorch_model.bin.index.json",
)
"""Patterns of the files that hold weights."""


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file.

    Raises:
        CheckpointError: not JSON, or not an object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    if not isinstance(values, dict):
        raise CheckpointError(f"{path} holds a {type(values).__name__}", allowed="a JSON object")
    return values


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a model folder by the name it has there; memory-mapped where possible.

    Raises:
        CheckpointError: no weights, or a file that is cut short, corrupt or not what it says.
    """
    for whole, read in ((WHOLE, _safetensors), ("pytorch_model.bin", _torch_file)):
        if (folder / whole).is_file():
            return _renamed(read(folder / whole))
        index = folder / f"{whole}.index.json"
        if index.is_file():
            return _renamed(_sharded(index, read))
    found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise CheckpointError(
        f"{folder} holds no weights, only {found}",
        allowed="model.safetensors, model.safetensors.index.json, pytorch_model.bin",
    )


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Writes safetensors, marked as torch's as the ecosystem's readers expect."""
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"format": "pt"}
    )


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is cut short or corrupt: {error}", next_step="copy or download it again"
        ) from None


def _torch_file(path: Path) -> dict[str, Tensor]:
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} cannot be read as plain weights: {reason}",
            allowed="tensors only, no code",
            next_step="save it as model.safetensors where it was made",
        ) from None
    if not isinstance(values, dict) or not all(isinstance(v, Tensor) for v in values.values()):
        raise CheckpointError(f"{path} holds something else than named tensors")
    return values


def _sharded(index: Path, read: Any) -> dict[str, Tensor]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(map(_plain_name, places.values())):
        raise CheckpointError(f"{index} has no weight_map of tensor names to file names beside it")
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(places.values())):
        shard = index.parent / name
        if not shard.is_file():
            raise CheckpointError(f"{index} names {name}, which is not there", next_step="fetch it")
        tensors.update(read(shard))
    lost = sorted(set(places) - set(tensors))
    if lost:
        raise CheckpointError(
            f"{index} promises tensors that no shard holds: {', '.join(lost[:10])}"
        )
    return tensors


def _plain_name(name: object) -> bool:
    """Whether it names a file beside the index, and nothing elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name


def _renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Norms' weights were called gamma and beta in the first released checkpoints."""
    old = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    renamed = {}
    for name, tensor in tensors.items():
        for ending, new in old.items():
            if name.endswith(ending):
                name = name.removesuffix(ending) + new
        renamed[name] = tensor
    return renamed
