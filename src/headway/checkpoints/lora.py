"""LoRA adapters as peft writes them: thin matrices beside a checkpoint's weights, in two files.

adapter_config.json says rank and scale, adapter_model.safetensors holds `lora_A` [rank, inputs] and
`lora_B` [outputs, rank] of each layer, under the layer's name in transformers' model of the base.
What is added to a weight is scale * B @ A.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from headway.checkpoints.checkpoint import Checkpoint
from headway.checkpoints.documents import read_object, write_json
from headway.checkpoints.tensors import read_safetensors, write_tensors
from headway.core.bottleneck import adapted_rows
from headway.core.names import Transposed, pair_names
from headway.errors import CheckpointError

__all__ = ["Adapter", "is_adapter_folder", "read_adapter", "with_adapter", "write_adapter"]

ADAPTER_CONFIG, ADAPTER = "adapter_config.json", "adapter_model.safetensors"
BEFORE = "base_model.model."
"""What peft puts before every name."""

MORE_THAN_LORA = (
    *("use_dora", "use_qalora", "use_bdlora", "lora_bias", "layer_replication"),
    *("target_parameters", "trainable_token_indices", "alora_invocation_tokens"),
    *("kasa_config", "velora_config", "monteclora_config", "arrow_config"),
)
"""What peft can do beside, each a key of the config."""

NAME = re.compile(r"(?P<layer>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True)
class Adapter:
    """Thin matrices of some layers.

    Attributes:
        layers: name of a layer's weight as the checkpoint's format has it, without the family's
            prefix -> (A [rank, inputs], B [outputs, rank]).
        scale: of every product.
        rank: of every product.
        base: the name of the model that it belongs to.
    """

    layers: Mapping[str, tuple[Tensor, Tensor]]
    scale: float
    rank: int
    base: str = ""


def is_adapter_folder(folder: Path) -> bool:
    """Whether a folder holds an adapter, and no model."""
    return (folder / ADAPTER_CONFIG).is_file() and not (folder / "config.json").exists()


def read_adapter(folder: Path) -> Adapter:
    """An adapter from peft's two files.

    Raises:
        CheckpointError: a file is missing or damaged, or the adapter is of another kind than plain
            LoRA; all that does not fit is named.
    """
    config = read_object(folder / ADAPTER_CONFIG)
    _check(config, folder)
    tensors = read_safetensors(folder / ADAPTER)
    sides: dict[str, dict[str, Tensor]] = {}
    others = []
    for name, tensor in tensors.items():
        found = NAME.fullmatch(name.removeprefix(BEFORE))
        if found is None:
            others.append(name)
        else:
            sides.setdefault(found["layer"], {})[found["side"]] = tensor.float()
    others += [f"{layer} has one matrix of two" for layer, pair in sides.items() if len(pair) < 2]
    if others or not sides:
        raise CheckpointError(
            f"{folder / ADAPTER}: " + (", ".join(sorted(others)[:5]) or "no layers"),
            allowed="lora_A and lora_B of linear layers",
        )
    rank, alpha = int(config["r"]), float(config["lora_alpha"])
    for layer, pair in sides.items():
        if pair["A"].dim() != 2 or len(pair["A"]) != rank:
            raise CheckpointError(
                f"{folder / ADAPTER}: {layer} has matrices of {tuple(pair['A'].shape)}",
                allowed=f"of r = {rank} rows, as {ADAPTER_CONFIG} says",
            )
    return Adapter(
        {f"{layer}.weight": (pair["A"], pair["B"]) for layer, pair in sides.items()},
        alpha / (math.sqrt(rank) if config.get("use_rslora") else rank),
        rank,
        str(config.get("base_model_name_or_path") or ""),
    )


def _check(config: Mapping[str, Any], folder: Path) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise CheckpointError(f"{folder / ADAPTER_CONFIG}: peft_type = {kind!r}", allowed="LORA")
    plain: dict[str, tuple[Any, ...]] = {
        "bias": ("none",),
        "rank_pattern": (None, {}),
        "alpha_pattern": (None, {}),
        "modules_to_save": (None, []),
        # Other beginnings (pissa, olora, corda, loftq) change the base's own weights.
        "init_lora_weights": (None, True, False, "gaussian", "eva", "orthogonal"),
        **dict.fromkeys(MORE_THAN_LORA, (None, False, [], {})),
    }
    wrong = [f"{key} = {config[key]!r}" for key, good in plain.items() if key in config
             and config[key] not in good]  # fmt: skip
    if wrong:
        raise CheckpointError(
            f"{folder / ADAPTER_CONFIG}: {', '.join(wrong)}",
            allowed="plain LoRA: one rank and one scale for all layers, and nothing else learned",
        )
    for key in ("r", "lora_alpha"):
        value = config.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise CheckpointError(
                f"{folder / ADAPTER_CONFIG}: {key} = {value!r}", allowed="a number above 0"
            )


def with_adapter(checkpoint: Checkpoint, adapter: Adapter) -> Checkpoint:
    """The checkpoint with an adapter's products added to its weights, in place.

    Raises:
        CheckpointError: a layer is not in the model, or of another shape; the weights are then what
            they were.
    """
    places = _places(checkpoint)
    added: list[tuple[Tensor, Tensor]] = []
    wrong = []
    for name, (down, up) in adapter.layers.items():
        rows = places.get(name, places.get(name.removeprefix(checkpoint.family.PREFIX)))
        if rows is None:
            wrong.append(f"{name} is no layer of the model")
        elif (len(up), down.shape[1]) != tuple(rows.shape) or up.shape[1] != len(down):
            shape = " x ".join(map(str, rows.shape))
            wrong.append(f"{name} is {len(up)} x {down.shape[1]}, in the model {shape}")
        else:
            added.append((rows, adapter.scale * up @ down))
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} layers of the adapter do not fit: {', '.join(wrong[:5])}",
            next_step="check that the adapter belongs to this model",
        )
    for rows, matrix in added:
        rows += matrix.to(rows.dtype)
    return checkpoint


def write_adapter(adapter: Adapter, checkpoint: Checkpoint, folder: Path) -> None:
    """Writes peft's two files into a folder that is there.

    Raises:
        OSError: a file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    for name, (down, up) in adapter.layers.items():
        layer = BEFORE + name.removesuffix(".weight")
        tensors[f"{layer}.lora_A.weight"] = down
        tensors[f"{layer}.lora_B.weight"] = up
    write_tensors(tensors, folder / ADAPTER)
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": adapter.base or None,
        "r": adapter.rank,
        "lora_alpha": adapter.scale * adapter.rank,
        "lora_dropout": 0.0,
        "target_modules": sorted(name.removesuffix(".weight") for name in adapter.layers),
        "fan_in_fan_out": _is_turned(checkpoint),
        "bias": "none",
        "modules_to_save": None,
        "inference_mode": True,
    }
    write_json(folder / ADAPTER_CONFIG, config)


def _places(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Where each matrix of the body's format lies, [outputs, inputs], and those that are set aside:
    views, so that what is added to them is added there."""
    pairs, _ = pair_names(checkpoint.body, adapted_rows(checkpoint.family.NAMES))
    found: dict[str, Tensor] = {}
    for pair in pairs:
        tensor = pair.tensor.detach()
        parts = tensor.split(list(pair.widths)) if len(pair.theirs) > 1 else [tensor]
        found.update(zip(pair.theirs, parts, strict=True))
    prefix = checkpoint.family.PREFIX
    aside = {name.removeprefix(prefix): part for name, part in checkpoint.set_aside.items()}
    return {name: part for name, part in (aside | found).items() if part.dim() == 2}


def _is_turned(checkpoint: Checkpoint) -> bool:
    """Whether the format has matrices as [inputs, outputs] (GPT-2)."""
    rows = checkpoint.family.NAMES
    return any(isinstance(theirs, Transposed) for _, theirs in rows)
