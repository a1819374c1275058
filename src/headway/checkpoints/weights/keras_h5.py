"""Keras' weights, `tf_model.h5`: named arrays in an HDF5 file, as `save_weights` lays them.

The root lists its layers (`layer_names`); a layer is a group that lists its weights
(`weight_names`) by their variables' names, such as
`tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0`; in a file of several, a layer
is a weight itself. Nothing else of the file is looked at: no configuration, no link to another
file, no filter.

Sources: https://github.com/keras-team/keras (legacy h5 format); names: transformers 4
(modeling_tf_pytorch_utils.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints.weights.plain import KINDS, collected, damaged, needs_extra

__all__ = ["keras_name", "keras_tensor", "read_keras"]

LAYERS, WEIGHTS = "layer_names", "weight_names"
TOP_LEVEL = "top_level_model_weights"


def read_keras(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, named and laid as in the same model's torch weights.

    Raises:
        CheckpointError: the file is cut short, corrupt, or laid in another way.
        ConfigError: the package h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise needs_extra(path, "h5py", "keras") from None
    try:
        with h5py.File(path, "r", locking=False) as file:
            weights = list(_weights(file, h5py))
            if sum(data.nbytes for _, data in weights) > path.stat().st_size:
                raise ValueError("more numbers than bytes")
            return collected(keras_tensor(name, _tensor(data)) for name, data in weights)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise damaged(path, str(error) or type(error).__name__) from None


def keras_name(variable: str) -> str:
    """The name in torch weights of a variable.

    >>> keras_name("tf_bert_model/bert/encoder/layer_._0/output/dense/kernel:0")
    'bert.encoder.layer.0.output.dense.weight'
    >>> keras_name("tf_bert_for_masked_lm/mlm___cls/predictions/transform/LayerNorm/gamma:0")
    'cls.predictions.transform.LayerNorm.weight'
    """
    _, _, below = variable.removesuffix(":0").partition("/")
    parts = re.sub(r"/+", "/", below.replace("_._", "/")).split("/")
    ending = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}
    parts = [part.rpartition("___")[2] for part in parts]  # a___b: the layer a, stored as b
    return ".".join([*parts[:-1], ending.get(parts[-1], parts[-1])])


def keras_tensor(variable: str, tensor: Tensor) -> tuple[str, Tensor]:
    """A variable, named and laid as in torch weights."""
    name = keras_name(variable)
    if variable.endswith("/kernel:0") and tensor.dim() == 2:  # inputs by outputs
        tensor = tensor.t()
    elif name.endswith(".bias") and tensor.dim() == 2 and len(tensor) == 1:  # GPT-2's
        tensor = tensor[0]
    return name, tensor


def _weights(file: Any, h5py: Any) -> Iterator[tuple[str, Any]]:
    """The variables' names and where their numbers lie."""
    layers = _names(file, LAYERS)
    if TOP_LEVEL in file and TOP_LEVEL not in layers:
        layers.append(TOP_LEVEL)
    for layer in layers:
        found = _inside(file, layer, h5py)
        if isinstance(found, h5py.Dataset):
            yield f"/{layer}", found  # one of several files leaves the model's own name out
            continue
        for name in _names(found, WEIGHTS):
            data = _inside(found, name, h5py)
            if not isinstance(data, h5py.Dataset):
                raise ValueError(f"{name!r:.80} holds no numbers")
            yield name, data


def _names(group: Any, attribute: str) -> list[str]:
    """A list of names; a long one is cut into attributes numbered from 0."""
    found = []
    if attribute in group.attrs:
        found = list(group.attrs[attribute])
    elif f"{attribute}0" in group.attrs:
        number = 0
        while f"{attribute}{number}" in group.attrs:
            found += list(group.attrs[f"{attribute}{number}"])
            number += 1
    else:
        raise ValueError(f"no {attribute}, so it was not written by save_weights")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in found]


def _inside(group: Any, path: str, h5py: Any) -> Any:
    """What lies at a path, by links that cannot lead out of the file."""
    for part in path.strip("/").split("/"):
        if not isinstance(group, h5py.Group):
            raise ValueError(f"nothing at {path!r:.80}")
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{path!r:.80} is not there, or lies elsewhere")
        group = group[part]
    return group


def _tensor(data: Any) -> Tensor:
    kind = data.dtype.name
    if kind not in KINDS:
        raise ValueError(f"numbers of the type {kind!r:.40}, not {', '.join(KINDS)}")
    filters = data.id.get_create_plist().get_nfilters()
    if filters or data.is_virtual or data.external or data.id.get_storage_size() != data.nbytes:
        raise ValueError(f"{data.name!r:.80} does not lie in the file as it is")
    return torch.from_numpy(data[()].astype(kind, copy=False))
