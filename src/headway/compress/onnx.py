"""A model as ONNX files, for ONNX Runtime and whatever else runs them.

Source: https://onnx.ai; names of files, inputs and outputs are those that the ecosystem's runtimes
look for (optimum, transformers.js). torch's exporter writes the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway.compress.check import Array, check_same
from headway.compress.graphs import Part, quietly, traced
from headway.errors import ConfigError
from headway.model import Model

__all__ = ["write_onnx"]

LARGEST_FILE = 2**31 - 2**24
"""Bytes that a message of protocol buffers can hold, and some for the graph."""


def write_onnx(model: Model, parts: Sequence[Part], folder: Path) -> float:
    """Writes `PART.onnx` for each part, checked by ONNX Runtime against the model.

    Args:
        model: on the processor, in fp32, ready to predict.
        parts: of the model.
        folder: where to; beyond 2 GB, weights lie beside their file in `PART.onnx.data`.

    Returns:
        The largest difference to the model.

    Raises:
        ConfigError: a package is not installed, the model cannot be traced, or the files give
            something else than the model.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  # what torch's exporter writes with
    except ImportError as error:
        raise ConfigError(
            f"ONNX is written with {error.name}, which is not installed",
            next_step="pip install 'headway[onnx]'",
        ) from None
    for part in parts:
        _write(part, folder / f"{part.name}.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    sessions = {
        part.name: onnxruntime.InferenceSession(folder / f"{part.name}.onnx", options)
        for part in parts
    }

    def run(name: str, inputs: Mapping[str, Array]) -> list[Array]:
        outputs: list[Any] = sessions[name].run(None, dict(inputs))
        return outputs

    return check_same(model, run)


def _write(part: Part, path: Path) -> None:
    import torch

    size = sum(parameter.nbytes for parameter in part.module.parameters())
    with quietly():
        program = torch.onnx.export(
            traced(part),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            dynamo=True,
            verbose=False,
        )
        assert program is not None  # it is where no file is named
        program.save(path, external_data=size > LARGEST_FILE)
