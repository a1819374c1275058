"""A GGUF file as parts of a model: the config.json and the tensors that are equivalent."""

from __future__ import annotations

import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.checkpoints.embedding import Embedding
from headway.checkpoints.generation import Generation
from headway.checkpoints.gguf.architectures import ARCHITECTURES, Architecture, renamed
from headway.checkpoints.gguf.rope import DIVISORS, KEYS, read_scaling
from headway.checkpoints.source import Source
from headway.errors import CheckpointError, nearest
from headway.families import class_name
from headway.ggml.blocks import dequantise
from headway.ggml.container import Container, Stored, read_container
from headway.tokenizer import Tokenizer

__all__ = ["read_gguf_model"]

POOLINGS = {1: "mean", 2: "first", 3: "last"}
"""pooling_type -> name in core.pooling.POOLINGS."""

ROLES = ("bos", "eos", "padding", "unknown")
STOPS = ("eos_token_id", "eot_token_id", "eom_token_id")
"""Below tokenizer.ggml.: the tokens that end a text, a turn, a message."""

HARMLESS: dict[str, tuple[Any, ...]] = {
    "attention.clamp_kqv": (0.0,),
    "attention.max_alibi_bias": (0.0,),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "use_parallel_residual": (False, True),  # only GPT-NeoX reads it
}
"""Key below an architecture -> the values that change nothing."""

SAID_OTHERWISE = frozenset(
    {
        "attention.value_length",
        "rope.dimension_count",
        "rope.scale_linear",
        "rope.scaling.attn_factor",
        "rope.scaling.factor",
        "rope.scaling.finetuned",
        "rope.scaling.original_context_length",
        "rope.scaling.type",
        "tensor_data_layout",
        "vocab_size",
    }
)
"""Keys that are checked apart, or that tensors say as well."""


def read_gguf_model(path: Path) -> Source:
    """The parts of the model in a GGUF file.

    Args:
        path: the file; the first one where a model lies in several.

    Raises:
        CheckpointError: it is damaged, of an architecture that is not known, or has a value that
            would mean a computation that is not here.
    """
    whole = read_container(path, CheckpointError)
    files = [(path, whole), *_further_files(path, whole.values)]
    stored = {name: (file, place) for file, box in files for name, place in box.tensors.items()}
    name = whole.values.get("general.architecture")
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise CheckpointError(
            f"{path}: general.architecture = {name!r} is not a known architecture",
            allowed=", ".join(ARCHITECTURES),
            next_step=nearest(str(name), ARCHITECTURES),
        )
    architecture = ARCHITECTURES[name]
    own = {
        key.removeprefix(f"{name}."): value
        for key, value in whole.values.items()
        if key.startswith(f"{name}.")
    }
    _refuse_unknown(own, architecture, f"{path}: {name}")
    divisors = _tensor(*stored[DIVISORS]) if DIVISORS in stored else None
    values = _config(own, architecture, stored, divisors, f"{path}: {name}")
    values.update(_tokens(whole.values))
    stops = [whole.values.get(f"tokenizer.ggml.{key}") for key in STOPS]
    return Source(
        place=str(path),
        values=values,
        tensors=partial(_tensors, stored, architecture, values),
        tokenizer=_tokenizer(path, whole),
        embedding=Embedding(_pooling(own, str(path))),
        generation=Generation(
            _whole_number(values.get("bos_token_id")),
            frozenset(stop for stop in stops if isinstance(stop, int)),
        ),
    )


def _further_files(path: Path, values: dict[str, Any]) -> list[tuple[Path, Container]]:
    """The other files of a model in several: NAME-00001-of-00003.gguf and so on."""
    count = values.get("split.count", 1)
    if not isinstance(count, int) or count <= 1:
        return []
    first = f"-00001-of-{count:05}.gguf"
    if not path.name.endswith(first) or count > 999:
        raise CheckpointError(
            f"{path} is a part of a model in {count} files",
            allowed=f"the first file, whose name ends with {first}, and the others beside it",
        )
    found = []
    for number in range(2, count + 1):
        file = path.with_name(f"{path.name.removesuffix(first)}-{number:05}-of-{count:05}.gguf")
        found.append((file, read_container(file, CheckpointError)))
    return found


def _refuse_unknown(own: dict[str, Any], architecture: Architecture, place: str) -> None:
    known = {key for key, _ in architecture.keys} | architecture.ignored | SAID_OTHERWISE
    for key, value in own.items():
        if key in HARMLESS:
            if value not in HARMLESS[key]:
                raise CheckpointError(
                    f"{place}.{key} = {value!r} is not supported",
                    allowed=", ".join(map(repr, HARMLESS[key])),
                )
        elif key not in known:
            raise CheckpointError(
                f"{place}.{key} is not known",
                allowed=", ".join(sorted(known)),
                next_step=nearest(key, known) or "use the model's safetensors",
            )
    lacking = [key for key in architecture.needed if key not in own]
    if lacking:
        raise CheckpointError(f"{place} lacks {', '.join(lacking)}")


def _config(
    own: dict[str, Any],
    architecture: Architecture,
    stored: dict[str, tuple[Path, Stored]],
    divisors: Tensor | None,
    place: str,
) -> dict[str, Any]:
    """What config.json would hold."""
    values = {
        theirs: _one(own[key], f"{place}.{key}") for key, theirs in architecture.keys if key in own
    }
    values["model_type"] = architecture.model_type
    table = stored.get("token_embd.weight")
    if table is None:
        raise CheckpointError(f"{place}: no tensor token_embd.weight")
    values["vocab_size"] = table[1].shape[0]
    if architecture.model_type == "bert":
        types = stored.get("token_types.weight")
        return values | {"type_vocab_size": types[1].shape[0] if types else 1}
    values["tie_word_embeddings"] = "output.weight" not in stored
    for bias, switch in architecture.biases:
        values[switch] = bias in stored
    if "rms_norm_eps" in values:
        values |= _positions(own, values, divisors, place)
    if values.get("sliding_window") and values["model_type"] == "llama":
        values["model_type"] = "mistral"
        for switch in ("attention_bias", "mlp_bias"):
            del values[switch]
    values["architectures"] = [class_name(values["model_type"], "text-generation")]
    return values


def _positions(
    own: dict[str, Any], values: dict[str, Any], divisors: Tensor | None, place: str
) -> dict[str, Any]:
    """Heads and rotary positions: what the format leaves out, said."""
    heads, hidden = values["num_attention_heads"], values["hidden_size"]
    if not _whole_number(heads) or not _whole_number(hidden):
        raise CheckpointError(f"{place}: {heads!r} heads of {hidden!r} together")
    size = values.get("head_dim") or hidden // heads
    for key in ("rope.dimension_count", "attention.value_length"):
        if own.get(key, size) != size:
            raise CheckpointError(
                f"{place}.{key} = {own[key]!r} beside heads of {size}", allowed=str(size)
            )
    base = values.get("rope_theta", 10000.0)
    said = {key: own[f"rope.scaling.{key}"] for key in KEYS if f"rope.scaling.{key}" in own}
    if own.get("rope.scale_linear", 1.0) != 1.0:
        said = {"type": "linear", "factor": own["rope.scale_linear"]}
    return {
        "head_dim": size,
        "num_key_value_heads": values.get("num_key_value_heads", heads),
        "rope_theta": base,
        "rope_scaling": read_scaling(said, divisors, size, base, place),
    }


def _one(value: Any, place: str) -> Any:
    """A value; of one a layer, the one that all have. Short decimals stand for 32-bit numbers."""
    if isinstance(value, array.array):
        if len(set(value)) != 1:
            raise CheckpointError(f"{place} differs from layer to layer", allowed="one value")
        value = value[0]
    return float(str(np.float32(value))) if isinstance(value, float) else value


def _whole_number(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _tokens(values: dict[str, Any]) -> dict[str, int]:
    """The roles of tokens that config.json names too."""
    found = {role: values.get(f"tokenizer.ggml.{role}_token_id") for role in ROLES}
    short = {"padding": "pad", "unknown": "unk"}
    return {
        f"{short.get(role, role)}_token_id": number
        for role, number in found.items()
        if isinstance(number, int)
    }


def _pooling(own: dict[str, Any], place: str) -> str:
    kind = own.get("pooling_type", 1)
    if kind not in POOLINGS:
        raise CheckpointError(
            f"{place}: pooling_type = {kind!r}",
            allowed=", ".join(f"{number} ({name})" for number, name in POOLINGS.items()),
        )
    return POOLINGS[kind]


def _tokenizer(path: Path, whole: Container) -> Callable[[], Tokenizer | None]:
    if "tokenizer.ggml.model" not in whole.values:
        return lambda: None
    return partial(Tokenizer.load, path)


def _tensors(
    stored: dict[str, tuple[Path, Stored]], architecture: Architecture, values: dict[str, Any]
) -> dict[str, Tensor]:
    """Every tensor under the ecosystem's name, in 32 bits."""
    read = {name: _tensor(*place) for name, place in stored.items() if name != DIVISORS}
    try:
        return renamed(read, architecture.names, values)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"a tensor does not fit the heads: {error}") from None


def _tensor(path: Path, place: Stored) -> Tensor:
    data = np.memmap(path, np.uint8, "r", offset=place.start, shape=(place.size,))
    numbers = dequantise(data, place.kind)
    if not numbers.flags.writeable:
        numbers = numbers.copy()
    return torch.from_numpy(numbers).view(place.shape)
