"""A folder's weights as tensors: safetensors, whole or in shards; .bin only as plain weights.

Formats: safetensors (a JSON header and raw numbers), its index file, and torch's weights-only
reading of `pytorch_model.bin`, which builds tensors and plain containers and nothing else.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from headway.checkpoints.documents import read_object
from headway.errors import CheckpointError

__all__ = ["STALE_WEIGHTS", "WEIGHTS", "read_safetensors", "read_tensors", "write_tensors"]

WEIGHTS = "model.safetensors"
OLDER_WEIGHTS = "pytorch_model.bin"

STALE_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model-*-of-*.bin",
    "tf_model.h5",
    "flax_model.msgpack",
)
"""Patterns of the files that hold a model's weights, here or for other programs."""

Reader = Callable[[Path], dict[str, Tensor]]


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a model folder by the name it has there; memory-mapped where possible.

    Raises:
        CheckpointError: no weights, or a file that is cut short, corrupt or not what it says.
    """
    readers: dict[str, Reader] = {WEIGHTS: read_safetensors, OLDER_WEIGHTS: _torch_file}
    for whole, read in readers.items():
        if (folder / whole).is_file():
            return _renamed(read(folder / whole))
        index = folder / f"{whole}.index.json"
        if index.is_file():
            return _renamed(_sharded(index, read))
    found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise CheckpointError(
        f"{folder} holds no weights, only {found}",
        allowed=", ".join(name for whole in readers for name in (whole, f"{whole}.index.json")),
    )


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Writes safetensors, marked as torch's as the ecosystem's readers expect.

    Raises:
        OSError: the file cannot be written.
    """
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        save_file(whole, path, {"format": "pt"})
    except SafetensorError as error:
        # The library wraps what the system said in an error of its own, as text.
        said = re.search(r"(.*)\(os error (\d+)\)", str(error))
        if said is None:
            raise
        raise OSError(int(said[2]), said[1].rpartition(": ")[2].strip(), str(path)) from error


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of one file; memory-mapped.

    Raises:
        CheckpointError: it is cut short, corrupt or not what it says.
    """
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise CheckpointError(
            f"{path} is cut short or corrupt: {error}", next_step="copy or download it again"
        ) from None


def _torch_file(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a TorchScript archive, which is refused anyway
            values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile file can make the reader fail in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} cannot be read as plain weights: {reason}",
            allowed="named tensors, no code",
            next_step="save it as model.safetensors where it was made",
        ) from None
    if not isinstance(values, dict) or not all(map(_plain_tensor, values, values.values())):
        raise CheckpointError(
            f"{path} holds something else than named tensors",
            next_step="save the model's state_dict alone",
        )
    return {name: tensor.detach() for name, tensor in values.items()}


def _plain_tensor(name: object, value: object) -> bool:
    if not isinstance(name, str) or not isinstance(value, Tensor) or value.is_quantized:
        return False
    return value.layout == torch.strided and value.device.type == "cpu"


def _sharded(index: Path, read: Reader) -> dict[str, Tensor]:
    places: Any = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(map(_plain_name, places.values())):
        raise CheckpointError(f"{index} has no weight_map of tensor names to file names beside it")
    tensors: dict[str, Tensor] = {}
    for file in sorted(set(places.values())):
        shard = index.parent / file
        if not shard.is_file():
            raise CheckpointError(
                f"{index} names {file}, which is not there", next_step="copy or download it too"
            )
        tensors.update(
            (name, tensor)
            for name, tensor in read(shard).items()
            if places.get(name, file) == file  # else another shard has the one that counts
        )
    lost = sorted(set(places) - set(tensors))
    if lost:
        more = f" and {len(lost) - 10} more" if len(lost) > 10 else ""
        raise CheckpointError(
            f"{index} promises tensors that no shard holds: {', '.join(lost[:10])}{more}",
            next_step="copy or download index and shards again",
        )
    return tensors


def _plain_name(name: object) -> bool:
    """Whether it names a file beside the index, and nothing elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name


def _renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Norms' weights were called gamma and beta in the first released checkpoints."""
    endings = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    for old, new in endings.items():
        for name in [name for name in tensors if name.endswith(old)]:
            if (modern := name.removesuffix(old) + new) not in tensors:
                tensors[modern] = tensors.pop(name)
    return tensors
