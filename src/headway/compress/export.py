"""A model for programs that know nothing of this one: exported, and checked before it is kept."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headway.checkpoints import is_model_folder, replaced_folder, write_description
from headway.compress.graphs import Part, parts_of, plain
from headway.compress.jax import FILES as JAX_FILES
from headway.compress.jax import write_jax
from headway.compress.onnx import write_onnx
from headway.errors import ConfigError, nearest
from headway.loading import load
from headway.model import Model

__all__ = ["EXPORTS", "Exported", "export"]

EXPORTS: dict[str, Callable[[Model, Sequence[Part], Path], float]] = {
    "jax": write_jax,
    "onnx": write_onnx,
}
"""Format -> function that writes the parts of a model into a folder and checks them."""

STALE = ("*.onnx", "*.onnx.data", *JAX_FILES)
"""Patterns of an older export's files, which go when a new one comes."""


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        folder: where it lies, beside config.json and tokenizer.json.
        format: key of EXPORTS.
        inputs: name of a part -> names of its inputs, int64 [batch, length] but for the states of
            an encoder.
        outputs: name of a part -> names of its outputs.
        difference: largest difference to the model on texts that were tried.
    """

    folder: Path
    format: str
    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, tuple[str, ...]]
    difference: float


def export(model: Model | str | Path, format: str, out: str | Path) -> Exported:
    """Writes a model, with its head, in another framework's format; any batch and length fit.

    The folder gets config.json (with the names of labels), tokenizer.json and the weights in the
    format. What was written is run on random texts, padded behind and before, and refused if it
    gives something else than the model. It takes fp32 on the processor, whatever the model has.

    Args:
        model: a model, or what `load` takes: a run's folder, pkg:NAME, hf://org/name.
        format: `onnx`, or `jax` (a folder that jax, numpy and safetensors are enough for).
        out: the folder; new, empty, or one that holds a model.

    Raises:
        ConfigError: an unknown format, a package that it needs is not installed, or the model
            cannot be exported.
        OutputError: the folder cannot be written, or holds something that is not a model.

    Example:
        headway.export("runs/tickets", "onnx", "tickets-onnx")
    """
    if format not in EXPORTS:
        raise ConfigError(
            f"format {format!r} is not known",
            allowed=", ".join(EXPORTS),
            next_step=nearest(str(format), EXPORTS),
        )
    ready = plain(load(model) if isinstance(model, str | Path) else model)
    parts = parts_of(ready)
    with replaced_folder(
        Path(out),
        marker="config.json",
        ours=is_model_folder,
        replaced=lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in STALE),
    ) as folder:
        write_description(ready.checkpoint, folder)
        difference = EXPORTS[format](ready, parts, folder)
    return Exported(
        folder=Path(out),
        format=format,
        inputs={part.name: tuple(part.inputs) for part in parts},
        outputs={part.name: part.outputs for part in parts},
        difference=difference,
    )
