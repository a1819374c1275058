"""Flax's weights, `flax_model.msgpack`: a tree of arrays in MessagePack.

Sources: https://github.com/msgpack/msgpack/blob/master/spec.md; https://github.com/google/flax
(serialization.py): an array is extension 1, holding (shape, name of the type, bytes) in MessagePack
again; an array beyond a gigabyte is a map of flat pieces. No other extension is read.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.checkpoints.weights.plain import collected, damaged, needs_extra, plain_tensor

__all__ = ["flax_name", "flax_tensor", "read_flax"]

ARRAY, SCALAR = 1, 3
PIECES = "__msgpack_chunked_array__"
MOST_DIMENSIONS = 64


def read_flax(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, named and laid as in the same model's torch weights.

    Raises:
        CheckpointError: the file is cut short, corrupt, or holds something else than arrays.
        ConfigError: the package msgpack is not installed.
    """
    try:
        import msgpack
    except ImportError:
        raise needs_extra(path, "msgpack", "flax") from None
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            tree = msgpack.unpackb(
                data,
                raw=False,
                ext_hook=_array_reader(msgpack.unpackb),
                max_array_len=0,  # lists are maps here; one could ask for memory it does not fill
            )
        return collected(flax_tensor(keys, tensor) for keys, tensor in _leaves(tree))
    except OSError as error:
        raise damaged(path, error.strerror or error) from None
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise damaged(path, error or type(error).__name__) from None


def flax_name(keys: Sequence[str]) -> str:
    """The name in torch weights of an array in the tree.

    >>> flax_name(["encoder", "layer", "0", "output", "dense", "kernel"])
    'encoder.layer.0.output.dense.weight'
    """
    last = "weight" if keys[-1] in ("kernel", "scale", "embedding") else keys[-1]
    return ".".join([*keys[:-1], last])


def flax_tensor(keys: Sequence[str], tensor: Tensor) -> tuple[str, Tensor]:
    """An array of the tree, named and laid as in torch weights."""
    matrix = keys[-1] == "kernel" and tensor.dim() == 2  # inputs by outputs, torch's other way
    return flax_name(keys), tensor.t() if matrix else tensor


def _array_reader(unpack: Callable[..., Any]) -> Callable[[int, bytes], Tensor]:
    def read(code: int, data: bytes) -> Tensor:
        if code not in (ARRAY, SCALAR):
            raise ValueError(f"an extension numbered {code}, not {ARRAY} or {SCALAR}")
        shape, kind, content = unpack(
            data, raw=True, max_array_len=MOST_DIMENSIONS, max_map_len=0, max_ext_len=0
        )
        if not isinstance(kind, bytes) or not isinstance(content, bytes):
            raise ValueError("an array without a type or content")
        return plain_tensor(content, kind.decode(), shape)

    return read


def _leaves(tree: object) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """The arrays of a tree with the keys that lead to them."""
    if isinstance(tree, Mapping) and set(tree) == {"params"}:
        tree = tree["params"]
    waiting: list[tuple[tuple[str, ...], object]] = [((), tree)]
    while waiting:
        keys, value = waiting.pop()
        if isinstance(value, Mapping) and PIECES in value:
            value = _joined(value)
        if isinstance(value, Tensor) and keys:
            yield keys, value
        elif isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            waiting += [((*keys, key), inner) for key, inner in value.items()]
        else:
            raise ValueError(f"a {type(value).__name__} at {'/'.join(keys)!r:.80}, not an array")


def _joined(pieces: Mapping[str, Any]) -> Tensor:
    """An array that lies in flat pieces."""
    try:
        shape, parts = (
            [values[str(number)] for number in range(len(values))]
            for values in (pieces["shape"], pieces["chunks"])
        )
        return torch.cat(parts).reshape(shape)
    except (LookupError, TypeError, RuntimeError) as error:
        raise ValueError(f"pieces that make no array ({error})") from None
