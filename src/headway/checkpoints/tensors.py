"""A folder's weights as tensors: safetensors, whole or in shards; .bin only as plain weights.

Formats: safetensors (a JSON header and raw numbers), its index file, and torch's weights-only
reading of `pytorch_model.bin`, which builds tensors and plain containers and nothing else; those of
Flax and TensorFlow, in `weights/`. Where several lie in a folder, the first of this order is read.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from headway.checkpoints.documents import read_object
from headway.checkpoints.weights.flax_msgpack import flax_name, flax_tensor, read_flax
from headway.checkpoints.weights.keras_h5 import keras_name, keras_tensor, read_keras
from headway.checkpoints.weights.original_bert import INDEX, read_original
from headway.errors import CheckpointError

__all__ = [
    "STALE_WEIGHTS",
    "WEIGHTS",
    "bundle_index",
    "read_safetensors",
    "read_tensors",
    "said_of_weights",
    "write_tensors",
]

WEIGHTS = "model.safetensors"

STALE_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model-*-of-*.bin",
    "flax_model.msgpack",
    "flax_model.msgpack.index.json",
    "flax_model-*-of-*.msgpack",
    "tf_model.h5",
    "tf_model.h5.index.json",
    "tf_model-*-of-*.h5",
    "*.ckpt*.index",
    "*.ckpt*.meta",
    "*.ckpt*.data-*-of-*",
    "albert_config.json",
    "bert_config.json",
)
"""Patterns of the files that hold a model's weights, here or for other programs."""

Reader = Callable[[Path], dict[str, Tensor]]


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a model folder by the name it has there; memory-mapped where possible.

    Those of another framework have the names and the layout of the same model's torch weights.

    Raises:
        CheckpointError: no weights, or a file that is cut short, corrupt or not what it says.
        ConfigError: a package that reads the file is not installed.
    """
    for file, format in _weight_files(folder):
        if file.name.endswith(".index.json"):
            return _renamed(_sharded(file, format))
        return _renamed(format.read(file))
    found = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    whole = (name for each in FORMATS for name in (each, f"{each}.index.json"))
    raise CheckpointError(
        f"{folder} holds no weights, only {found}", allowed=", ".join([*whole, INDEX])
    )


def said_of_weights(folder: Path) -> list[str]:
    """Notes for people: weights of another framework, and files beside those that are read."""
    names = [file.name for file, _ in _weight_files(folder)]
    notes = []
    if names and not names[0].startswith(("model.", "pytorch_model.")):
        notes.append(f"read weights of another framework, {names[0]}")
    if names[1:]:
        notes.append(f"read {names[0]}, and not {', '.join(names[1:])} beside it")
    return notes


def bundle_index(folder: Path) -> Path | None:
    """The `.index` file of a folder's TensorFlow checkpoint, or None.

    Raises:
        CheckpointError: there are several checkpoints.
    """
    found = sorted(path for path in folder.glob(INDEX) if path.is_file())
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:5])
        raise CheckpointError(
            f"{folder} holds {len(found)} TensorFlow checkpoints: {names}",
            next_step="leave the one that counts there",
        )
    return found[0] if found else None


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Writes safetensors, marked as torch's as the ecosystem's readers expect.

    Raises:
        OSError: the file cannot be written.
    """
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    path.touch()
    mode = path.stat().st_mode  # as the user's other files: the library's own is for one user alone
    try:
        save_file(whole, path, {"format": "pt"})
        path.chmod(mode)
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
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
            made_by = (file.metadata() or {}).get("format")
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise CheckpointError(
            f"{path} is cut short or corrupt: {error}", next_step="copy or download it again"
        ) from None
    if made_by == "flax":
        return dict(flax_tensor(name.split("."), tensor) for name, tensor in tensors.items())
    if made_by == "tf":  # the model's own name is left out
        return dict(keras_tensor(f"/{name}", tensor) for name, tensor in tensors.items())
    return tensors


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


class Format(NamedTuple):
    """How a file of weights is read, and what torch calls a tensor that its index names."""

    read: Reader
    torch_name: Callable[[str], str] = str


FORMATS = {
    WEIGHTS: Format(read_safetensors),
    "pytorch_model.bin": Format(_torch_file),
    "flax_model.msgpack": Format(read_flax, lambda name: flax_name(name.split("/"))),
    "tf_model.h5": Format(read_keras, keras_name),
}
"""File that holds a whole model -> its format; the first that is there is read."""


def _weight_files(folder: Path) -> list[tuple[Path, Format]]:
    """The files of weights, or indexes of several, that a folder has; the first one counts."""
    found = []
    for whole, format in FORMATS.items():
        tried = (folder / whole, folder / f"{whole}.index.json")
        found += [(path, format) for path in tried if path.is_file()][:1]
    index = None if found else bundle_index(folder)
    bundles = sorted(folder.glob(INDEX)) if index is None else [index]
    return found + [(path, Format(read_original)) for path in bundles if path.is_file()]


def _sharded(index: Path, format: Format) -> dict[str, Tensor]:
    places: Any = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not all(map(_plain_name, places.values())):
        raise CheckpointError(f"{index} has no weight_map of tensor names to file names beside it")
    places = {format.torch_name(name): file for name, file in places.items()}
    tensors: dict[str, Tensor] = {}
    for file in sorted(set(places.values())):
        shard = index.parent / file
        if not shard.is_file():
            raise CheckpointError(
                f"{index} names {file}, which is not there", next_step="copy or download it too"
            )
        tensors.update(
            (name, tensor)
            for name, tensor in format.read(shard).items()
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
