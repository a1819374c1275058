"""Writes a model as a GGUF file, for llama.cpp and whatever reads its files.

Source: https://github.com/ggml-org/llama.cpp (convert_hf_to_gguf.py). Matrices get the type that is
asked for, vectors 32 bits, and a matrix whose rows are not made of whole blocks 16.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from headway.checkpoints.bottlenecks import refuse_adapters
from headway.checkpoints.checkpoint import Checkpoint, stored_tensors
from headway.checkpoints.gguf.architectures import ARCHITECTURES, Architecture, renamed
from headway.checkpoints.gguf.read import POOLINGS, read_gguf_model
from headway.checkpoints.gguf.rope import DIVISORS, divisors_of
from headway.errors import CheckpointError, ConfigError, OutputError, nearest, said_by_system
from headway.ggml.quantise import WRITERS, quantise
from headway.ggml.types import TYPES, BlockType, type_number
from headway.ggml.writing import NewTensor, write_container

__all__ = ["HasCheckpoint", "write_gguf"]

FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q4_K": 14, "BF16": 32}
"""Type -> general.file_type."""

WRITTEN_AS = {"mistral": "llama"}
"""`model_type` -> architecture, where the two differ."""

ALWAYS_WHOLE = ("position_embd.weight", "token_types.weight")
"""Tables that ggml's programs want in 32 bits."""

UNTOLD = frozenset(
    {
        *("attention_dropout", "classifier_dropout", "dropout", "embedding_dropout"),
        *("initial_std", "model_type"),
    }
)
"""Fields of configs that say how to train, which the format has no place for; and the one that the
architecture stands for."""


class HasCheckpoint(Protocol):
    """What has the parts of a model: a `headway.Model`."""

    checkpoint: Checkpoint


def write_gguf(model: Checkpoint | HasCheckpoint, path: str | Path, *, type: str = "q8_0") -> Path:
    """Writes a model, with its tokenizer, as one GGUF file; whole or not at all.

    Args:
        model: with the family's own language head, or a BERT without a head.
        path: of the file; what is there is replaced.
        type: of the matrices: f32, f16, bf16, q8_0, q4_0 or q4_k.

    Returns:
        The path.

    Raises:
        ConfigError: the format cannot say what the model computes, or the type is not known.
        TokenizerError: the format cannot say what the tokenizer does.
        OutputError: the file cannot be written.

    Example:
        write_gguf(headway.load("runs/story"), "story.gguf", type="q4_k")
    """
    checkpoint = model if isinstance(model, Checkpoint) else model.checkpoint
    path, name = Path(path), type.upper()
    if name not in WRITERS:
        known = [each.lower() for each in WRITERS]
        raise ConfigError(
            f"type {type!r} is not written",
            allowed=", ".join(known),
            next_step=nearest(type, known),
        )
    refuse_adapters(checkpoint.body, "a GGUF")
    architecture = _architecture(checkpoint)
    values = _filled(checkpoint.family.to_hf(checkpoint.config))
    told = _values(checkpoint, architecture, values, name)
    tensors = renamed(stored_tensors(checkpoint), architecture.names, values, back=True)
    scaling = values.get("rope_scaling") or {}
    if scaling.get("rope_type") == "llama3":
        size = values["head_dim"]
        tensors[DIVISORS] = divisors_of(
            {"original_max_position_embeddings": values["max_position_embeddings"], **scaling},
            size,
            values["rope_theta"],
        )
    for left in checkpoint.set_aside:  # poolers, which the format has no place for
        tensors.pop(left.removeprefix(checkpoint.family.PREFIX), None)
    with _replaced(path) as new:
        write_container(new, told, (_tensor(key, tensor, name) for key, tensor in tensors.items()))
        _refuse_other(checkpoint, new, path)
    return path


def _architecture(checkpoint: Checkpoint) -> Architecture:
    kind = checkpoint.family.to_hf(checkpoint.config)["model_type"]
    name = WRITTEN_AS.get(kind, kind)
    if name not in ARCHITECTURES:
        raise ConfigError(f"a {kind} is not written as GGUF", allowed=", ".join(ARCHITECTURES))
    plan = checkpoint.plan
    own = None if name == "bert" else "text-generation"
    ours = plan is not None and (plan.stored is not None or plan.choice)
    if (plan.task if plan else None) != own or ours:
        raise ConfigError(
            f"a {kind} with {f'a {plan}' if plan else 'no head'} is not written as GGUF",
            allowed=f"one with a {own} head" if own else "one without a head",
            next_step="load it with keep_head=False" if plan and not own else "",
        )
    if checkpoint.speakers:
        raise ConfigError(
            f"a {kind} whose tokens carry the vector of who speaks is not written as GGUF",
            next_step="save it as a folder",
        )
    return ARCHITECTURES[name]


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """config.json with what it leaves to be worked out."""
    if "num_attention_heads" in values and "rms_norm_eps" in values:
        heads = values["num_attention_heads"]
        if values.get("num_key_value_heads") is None:
            values["num_key_value_heads"] = heads
        if values.get("head_dim") is None:
            values["head_dim"] = values["hidden_size"] // heads
    if "n_embd" in values and values.get("n_inner") is None:
        values["n_inner"] = 4 * values["n_embd"]
    return values


def _values(
    checkpoint: Checkpoint, architecture: Architecture, values: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    """The names and values of the file."""
    arch = next(name for name, each in ARCHITECTURES.items() if each is architecture)
    own = {
        key: values[theirs] for key, theirs in architecture.keys if values.get(theirs) is not None
    }
    if arch == "bert":
        number = {name: number for number, name in POOLINGS.items()}
        if checkpoint.embedding.pooling not in number:
            raise ConfigError(
                f"{checkpoint.embedding.pooling} pooling is not written as GGUF",
                allowed=", ".join(number),
            )
        own |= {"attention.causal": False, "pooling_type": number[checkpoint.embedding.pooling]}
    if "rope_theta" in values:
        size, scaling = values["head_dim"], values.get("rope_scaling") or {}
        own |= {"attention.value_length": size, "rope.dimension_count": size}
        own["vocab_size"] = values["vocab_size"]
        if scaling.get("rope_type", "llama3") != "llama3":
            own["rope.scaling.type"] = scaling["rope_type"]
            own["rope.scaling.factor"] = scaling["factor"]
            if "original_max_position_embeddings" in scaling:
                original = scaling["original_max_position_embeddings"]
                own["rope.scaling.original_context_length"] = original
    told = {
        "general.architecture": arch,
        "general.type": "model",
        "general.file_type": FILE_TYPES[kind],
        **({"general.quantization_version": 2} if TYPES[type_number(kind)].weights > 1 else {}),
        **{f"{arch}.{key}": value for key, value in own.items()},
    }
    if checkpoint.tokenizer is not None:
        told |= checkpoint.tokenizer.gguf_values(rows=checkpoint.config.vocabulary)
        stops = sorted(checkpoint.generation.stop)
        if stops:
            told.setdefault("tokenizer.ggml.eos_token_id", stops[0])
        others = [stop for stop in stops if stop != told.get("tokenizer.ggml.eos_token_id")]
        told.update(zip(("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"), others,
                        strict=False))  # fmt: skip
    return told


def _tensor(name: str, tensor: Tensor, kind: str) -> NewTensor:
    block = _kind(name, tensor, kind)
    shape = tuple(tensor.shape)
    return NewTensor(name, shape, block, partial(_data, tensor, block))


def _kind(name: str, tensor: Tensor, kind: str) -> BlockType:
    if tensor.dim() < 2 or name in ALWAYS_WHOLE:
        return TYPES[type_number("F32")]
    asked = TYPES[type_number(kind)]
    return asked if tensor.shape[-1] % asked.weights == 0 else TYPES[type_number("F16")]


def _data(tensor: Tensor, block: BlockType) -> bytes:
    numbers = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
    return quantise(numbers, block).tobytes()


def _refuse_other(checkpoint: Checkpoint, new: Path, path: Path) -> None:
    """An error where the file, read again, means another computation."""
    try:
        read = checkpoint.family.from_hf(read_gguf_model(new).values)
    except CheckpointError as error:
        reason = error.problem.replace(str(new), str(path))
        raise ConfigError(f"a GGUF cannot say this model: {reason}") from error
    ours, theirs = (_computed(config) for config in (checkpoint.config, read))
    for name in ours:
        if ours[name] != theirs[name]:
            raise ConfigError(
                f"a GGUF cannot say {name} = {ours[name]!r}; it would be {theirs[name]!r}",
                next_step=f"save the model as a folder instead of {path.name}",
            )


def _computed(config: Any) -> dict[str, Any]:
    """The fields that a result depends on, absent ones filled in, fractions in 32 bits."""
    found = {key: value for key, value in dataclasses.asdict(config).items() if key not in UNTOLD}
    if "kv_heads" in found:
        found["kv_heads"] = found["kv_heads"] or found["heads"]
        found["head_size"] = found["head_size"] or found["hidden"] // found["heads"]
    if "segments" in found:
        del found["tied"]  # of a head that is not written
    if "inner" in found:
        found["inner"] = found["inner"] or 4 * found["hidden"]
    if rope := found.pop("rope", None):
        rope["original"] = rope["original"] or found["positions"]
        found |= {f"rope.{key}": value for key, value in rope.items()}
        if rope["kind"] != "llama3":
            del found["rope.original"]
    return {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in found.items()}


@contextlib.contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """A file beside another that takes its place when the context ends well."""
    new = path.with_name(f".{path.name}-{secrets.token_hex(6)}.gguf")
    try:
        yield new
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {said_by_system(error)}", next_step="choose another place"
        ) from error
    finally:
        new.unlink(missing_ok=True)
