"""Writes a torch model's weights as Flax, Keras and TensorFlow 1 lay them, from public formats.

What a tensor is called there is decided by the kind of its module, and what the module is called;
nothing of the package is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import msgpack
import numpy as np
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

DENSE, NORM, TABLE = (nn.Linear, Conv1D), nn.LayerNorm, nn.Embedding


def parameters(model: nn.Module) -> Iterator[tuple[list[str], str, nn.Module, Tensor]]:
    """Each parameter once: its module's path, its name, its module, its value."""
    for path, parameter in model.named_parameters():
        module, _, name = path.rpartition(".")
        yield module.split(".") if module else [], name, model.get_submodule(module), parameter.data


# Flax: https://github.com/google/flax, serialization.py.


def packed(value: Any) -> Any:
    """A leaf of a Flax tree: extension 1 around (shape, type, bytes)."""
    assert isinstance(value, Tensor)
    kind = str(value.dtype).removeprefix("torch.")
    raw = value.contiguous().flatten().view(torch.uint8).numpy().tobytes()
    return msgpack.ExtType(1, msgpack.packb((list(value.shape), kind, raw), use_bin_type=True))


def in_pieces(value: Tensor, size: int) -> dict[str, Any]:
    """A large array: flat pieces, and maps of numbers in the place of lists."""
    pieces = value.flatten().split(size)
    return {
        "__msgpack_chunked_array__": True,
        "shape": {str(n): length for n, length in enumerate(value.shape)},
        "chunks": {str(n): piece for n, piece in enumerate(pieces)},
    }


def flax_tree(model: nn.Module) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, name, module, value in parameters(model):
        if name == "weight" and isinstance(module, DENSE):
            name, value = "kernel", value.t()
        elif name == "weight" and isinstance(module, NORM):
            name = "scale"
        elif name == "weight" and isinstance(module, TABLE):
            name = "embedding"
        branch = tree
        for key in path:
            branch = branch.setdefault(key, {})
        branch[name] = value
    return tree


def write_flax(tree: Mapping[str, Any], path: Path) -> None:
    path.write_bytes(msgpack.packb(tree, default=packed, strict_types=True))


# Keras: the layout of save_weights; names as in transformers 4.


def keras_variables(model: nn.Module, name: str) -> dict[str, np.ndarray]:
    """Variables of the model called `name`."""
    found = {}
    for path, ending, module, value in parameters(model):
        if ending == "weight" and isinstance(module, nn.Linear):
            ending, value = "kernel", value.t()
        elif ending == "bias" and isinstance(module, Conv1D):
            value = value[None]
        elif isinstance(module, NORM):
            ending = {"weight": "gamma", "bias": "beta"}[ending]
        elif ending == "weight" and isinstance(module, TABLE) and path[-1] not in ("wte", "shared"):
            ending = "weight" if path[-1] == "word_embeddings" else "embeddings"
        levels: list[str] = []
        for part in path:
            if part.isdigit():
                levels[-1] += f"_._{part}"
            else:
                levels.append(f"mlm___{part}" if part == "cls" else part)
        found["/".join([name, *levels, f"{ending}:0"])] = value.numpy()
    return found


def write_keras(variables: Mapping[str, np.ndarray], path: Path, *, most: int = 1000) -> None:
    """A file of a whole model: a group a layer; lists of more than `most` names are cut."""
    layers: dict[str, list[str]] = {"dropout_7": []}
    for name in variables:
        layers.setdefault(name.split("/")[1], []).append(name)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        file.attrs["backend"] = b"tensorflow"
        for layer, names in layers.items():
            group = file.create_group(layer)
            listed = [name.encode() for name in names]
            if len(listed) <= most:
                group.attrs["weight_names"] = listed
            else:
                for number, start in enumerate(range(0, len(listed), most)):
                    group.attrs[f"weight_names{number}"] = listed[start : start + most]
            for name in names:
                group.create_dataset(name, data=variables[name])


def write_keras_shard(variables: Mapping[str, np.ndarray], path: Path) -> None:
    """One of several files: each weight is a layer, without the model's own name."""
    names = [name.partition("/")[2] for name in variables]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name, value in zip(names, variables.values(), strict=True):
            file.create_dataset(name, data=value)


# TensorFlow's checkpoints: https://github.com/google/leveldb, doc/table_format.md, and
# https://github.com/tensorflow/tensorflow, tensor_bundle.proto.

TYPES = {"float32": 1, "float64": 2, "int32": 3, "string": 7, "int64": 9, "float16": 19}


def bert_variables(model: nn.Module) -> dict[str, np.ndarray]:
    """The variables of BERT's first release, with the state of its training."""
    found: dict[str, np.ndarray] = {"global_step": np.array(7, np.int64)}
    for path, ending, module, value in parameters(model):
        if ending == "weight" and isinstance(module, nn.Linear):
            ending, value = "kernel", value.t()
        elif isinstance(module, NORM):
            ending = {"weight": "gamma", "bias": "beta"}[ending]
        name = "/".join([*path, ending]).replace("layer/", "layer_")
        name = name.removesuffix("/weight")  # of a table
        if name == "cls/predictions/bias":
            name = "cls/predictions/output_bias"
        elif name.startswith("classifier/"):
            name = {"kernel": "output_weights", "bias": "output_bias"}[ending]
            value = value.t() if ending == "kernel" else value  # kept outputs by inputs
        found[name] = value.numpy()
        for slot in ("adam_m", "adam_v"):
            found[f"{name}/{slot}"] = np.zeros(value.shape, np.float32)
    return found


def checksum(data: bytes) -> int:
    """CRC-32C bit by bit, masked."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def block(entries: Mapping[bytes, bytes], *, restart: int = 16, packing: int = 0) -> bytes:
    out, restarts, last = bytearray(), [0], b""
    for number, (key, value) in enumerate(entries.items()):
        shared = 0
        if number and number % restart == 0:
            restarts.append(len(out))
        elif number:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        last = key
    out += struct.pack(f"<{len(restarts)}II", *restarts, len(restarts))
    out.append(packing)
    return bytes(out) + struct.pack("<I", checksum(bytes(out)))


def table(entries: Mapping[bytes, bytes], *, a_block: int = 20, packing: int = 0) -> bytes:
    """A table with so many entries a block."""
    out, index, keys = bytearray(), {}, list(entries)
    for start in range(0, len(keys), a_block):
        part = {key: entries[key] for key in keys[start : start + a_block]}
        made = block(part, packing=packing)
        index[keys[start : start + a_block][-1]] = varint(len(out)) + varint(len(made) - 5)
        out += made
    handles = b""
    for made in (block({}), block(index, restart=1)):
        handles += varint(len(out)) + varint(len(made) - 5)
        out += made
    return bytes(out) + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def write_bundle(
    variables: Mapping[str, np.ndarray], stem: Path, *, shards: int = 1, **changed: Any
) -> None:
    """`stem.index` and `stem.data-*`; `changed` goes into the entry of every tensor."""
    data = [bytearray() for _ in range(shards)]
    entries = {b"": field(1, shards) + field(3, field(1, 1))}
    for number, name in enumerate(sorted(variables)):
        value, shard = variables[name], number % shards
        raw = value.tobytes()
        shape = b"".join(field(2, field(1, size)) for size in value.shape)
        entry = {
            "kind": field(1, TYPES[value.dtype.name]),
            "shape": field(2, shape),
            "shard": field(3, shard) if shard else b"",
            "offset": field(4, len(data[shard])),
            "size": field(5, len(raw)),
            "checksum": varint(6 << 3 | 5) + struct.pack("<I", checksum(raw)),
            "slices": b"",
        }
        entries[name.encode()] = b"".join({**entry, **changed}.values())
        data[shard] += raw
    stem.with_name(f"{stem.name}.index").write_bytes(table(entries))
    for shard, content in enumerate(data):
        stem.with_name(f"{stem.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
