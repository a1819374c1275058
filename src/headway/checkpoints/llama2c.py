"""Checkpoints of llama2.c: a header of whole numbers, then the weights of a Llama in a fixed order.

Version 0 has no mark; versions 1 (32 bits) and 2 (8 bits in groups with a scale) begin with `ak42`.
Rotary pairs are (2i, 2i + 1), as in GGUF. The tokenizer is a file beside it: tok512.bin for 512
tokens, or tokenizer.bin. Source: https://github.com/karpathy/llama2.c (export.py, run.c, runq.c).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headway.checkpoints.generation import Generation
from headway.checkpoints.gguf.architectures import ARCHITECTURES, renamed
from headway.checkpoints.source import Source
from headway.errors import CheckpointError
from headway.tokenizer import Tokenizer

__all__ = ["read_llama2c_model"]

MARK = 0x616B3432
HEADER = 256
"""Bytes before the weights in versions 1 and 2."""
BOS, EOS = 1, 2

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Header:
    version: int
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    positions: int
    tied: bool
    group: int = 0

    @property
    def head_size(self) -> int:
        return self.hidden // self.heads

    @property
    def start(self) -> int:
        """Bytes of the header."""
        return HEADER if self.version else 28


def read_llama2c_model(path: Path) -> Source:
    """The parts of the model in a llama2.c checkpoint, and its tokenizer beside it.

    Raises:
        CheckpointError: it is no such file, or not as long as its header says.
    """
    header = _header(path)
    values = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": header.vocabulary,
        "hidden_size": header.hidden,
        "intermediate_size": header.inner,
        "num_hidden_layers": header.layers,
        "num_attention_heads": header.heads,
        "num_key_value_heads": header.kv_heads,
        "max_position_embeddings": header.positions,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": header.tied,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
    }
    return Source(
        place=str(path),
        values=values,
        tensors=partial(_tensors, path, header, values),
        tokenizer=partial(_tokenizer, path, header.vocabulary),
        # Texts follow each other in training with only the first token of each between them.
        generation=Generation(BOS, frozenset({BOS, EOS})),
    )


def _header(path: Path) -> _Header:
    try:
        with path.open("rb") as file:
            data, size = file.read(HEADER), file.seek(0, 2)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) < HEADER:
        raise _damaged(path, f"it has {len(data)} bytes")
    version = 0
    if struct.unpack_from("<I", data)[0] == MARK:
        version = struct.unpack_from("<i", data, 4)[0]
        if version not in (1, 2):
            raise CheckpointError(f"{path} is of version {version}", allowed="0, 1, 2")
    numbers: list[int] = list(struct.unpack_from("<7i", data, 8 if version else 0))
    hidden, inner, layers, heads, kv_heads, words, positions = numbers
    tied, group = words > 0, 0
    if version:
        tied, group = struct.unpack_from("<?i", data, 36)
    if min(hidden, inner, layers, heads, kv_heads, abs(words), positions) < 1 or hidden % heads:
        raise _damaged(path, f"its header says {numbers}")
    header = _Header(
        version,
        hidden=hidden,
        inner=inner,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        vocabulary=abs(words),
        positions=positions,
        tied=tied,
        group=group if version == 2 else 0,
    )
    if version == 2 and group < 1:
        raise _damaged(path, f"its weights are in groups of {group}")
    wanted = header.start + sum(_bytes(shape, scales) for _, shape, scales in _order(header))
    if wanted != size:
        raise _damaged(path, f"it has {size} bytes, and its header means {wanted}")
    return header


def _order(header: _Header) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Names, as GGUF has them, shapes and sizes of groups (0 = 32 bits), as they lie.

    A name with # holds all layers one after the other.
    """
    layers, hidden, inner, group = header.layers, header.hidden, header.inner, header.group
    keys, queries = header.kv_heads * header.head_size, header.heads * header.head_size
    words = ("token_embd.weight", (header.vocabulary, hidden), group)
    norms = {
        "attn": ("blk.#.attn_norm.weight", (layers, hidden), 0),
        "ffn": ("blk.#.ffn_norm.weight", (layers, hidden), 0),
        "last": ("output_norm.weight", (hidden,), 0),
    }
    attention = [
        ("blk.#.attn_q.weight", (layers, queries, hidden), group),
        ("blk.#.attn_k.weight", (layers, keys, hidden), group),
        ("blk.#.attn_v.weight", (layers, keys, hidden), group),
        ("blk.#.attn_output.weight", (layers, hidden, queries), group),
    ]
    feedforward = [
        ("blk.#.ffn_gate.weight", (layers, inner, hidden), group),
        ("blk.#.ffn_down.weight", (layers, hidden, inner), group),
        ("blk.#.ffn_up.weight", (layers, inner, hidden), group),
    ]
    if header.version == 0:
        yield from (words, norms["attn"], *attention, norms["ffn"], *feedforward, norms["last"])
        yield ("", (2, header.positions, header.head_size // 2), 0)  # cosines and sines
    else:
        yield from (*norms.values(), words, *attention, *feedforward)
    if not header.tied:
        yield ("output.weight", (header.vocabulary, hidden), group)


def _bytes(shape: tuple[int, ...], group: int) -> int:
    count = math.prod(shape)
    return count + count // group * 4 if group else count * 4


def _tensors(path: Path, header: _Header, values: dict[str, Any]) -> dict[str, Tensor]:
    data = np.memmap(path, np.uint8, "r")
    found: dict[str, Tensor] = {}
    place = header.start
    for name, shape, group in _order(header):
        # In 8 bits every layer has its numbers, then its scales.
        stacked = shape[0] if "#" in name else 1
        one = shape[1:] if "#" in name else shape
        for number in range(stacked):
            size = _bytes(one, group)
            values_here = _numbers(data[place : place + size], group).reshape(one)
            if name:
                found[name.replace("#", str(number))] = torch.from_numpy(values_here)
            place += size
    return renamed(found, ARCHITECTURES["llama"].names, values)


def _numbers(data: NDArray[np.uint8], group: int) -> Floats:
    """float32 [numbers], which own their memory."""
    if not group:
        return np.frombuffer(data.tobytes(), "<f4").astype(np.float32)
    count = len(data) * group // (group + 4)
    scales = np.frombuffer(data[count:].tobytes(), "<f4").astype(np.float32)
    return (data[:count].view(np.int8).reshape(-1, group) * scales[:, None]).reshape(-1)


def _tokenizer(path: Path, vocabulary: int) -> Tokenizer | None:
    """Of the file that the program looks for, if it is there."""
    names = (f"tok{vocabulary}.bin", "tokenizer.bin", f"tok{vocabulary}.model", "tokenizer.model")
    for name in names:
        if path.name != name and (file := path.with_name(name)).is_file():
            return Tokenizer.load(file)
    return None


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is no checkpoint of llama2.c: {what}",
        allowed="a header of whole numbers and as many weights as it means",
        next_step="get the file again, or name the folder of the model that it belongs to",
    )
