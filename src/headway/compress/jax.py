"""A model's forward pass in JAX: a function here, or a folder that needs neither torch nor us.

The traced program is written down as a list of operations, and `jax_model.py` runs such a list with
JAX's functions. Neither torch_xla nor a converter of ONNX files is needed, and a program that is
data can be read without running anything.

Source: https://docs.pytorch.org/docs/stable/export.ir_spec.html (operations), https://docs.jax.dev.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.export.graph_signature import InputKind

from headway.checkpoints.tensors import write_tensors
from headway.compress.check import Array, check_same
from headway.compress.graphs import Part, parts_of, plain, traced
from headway.errors import ConfigError
from headway.model import Model

if TYPE_CHECKING:
    from headway.compress.jax_model import Program

__all__ = ["FILES", "jax_function", "write_jax"]

FILES = ("jax_model.py", "jax_model.json", "jax_model.safetensors")

KINDS_OF_NODES = ("placeholder", "call_function", "output")

CHECKS = ("aten._assert", "aten.sym_constrain", "aten._check")
"""How operations are called that compute nothing."""

FOR_TORCH = {"device", "layout", "memory_format", "non_blocking", "pin_memory"}
"""Options of operations that mean nothing elsewhere."""


def jax_function(model: Model) -> tuple[dict[str, Any], dict[str, Program]]:
    """The model as parameters and functions of JAX.

    Args:
        model: any; its own parameters are copied, in fp32.

    Returns:
        A dict of arrays, and one function a part (`model`, or `encoder_model` and
        `decoder_model`) of these and of named int arrays [batch, length]. A function gives a dict
        of named arrays, is differentiable, and can be compiled by jax.jit for each shape.

    Raises:
        ConfigError: jax is not installed, or the model computes in a way that is not known here.

    Example:
        params, programs = jax_function(model)
        forward = jax.jit(programs["model"])
        forward(params, input_ids=ids, attention_mask=mask)["logits"]
    """
    jax, program = _jax()
    model = plain(model)
    graphs, tensors = _written(parts_of(model), model)
    params = {name: jax.numpy.array(tensor.numpy()) for name, tensor in tensors.items()}
    return params, {part: program.Program(graph) for part, graph in graphs.items()}


def write_jax(model: Model, parts: Sequence[Part], folder: Path) -> float:
    """Writes the programs, their parameters and the file that runs them, checked in JAX.

    Args:
        model: on the processor, in fp32, ready to predict.
        parts: of the model.
        folder: where to.

    Returns:
        The largest difference to the model.

    Raises:
        ConfigError: jax is not installed, the model computes in a way that is not known here, or
            JAX gives something else.
    """
    jax, program = _jax()
    graphs, tensors = _written(parts, model)
    source, listed, weights = (folder / name for name in FILES)
    shutil.copyfile(program.__file__, source)
    listed.write_text(json.dumps(graphs, separators=(",", ":")) + "\n", encoding="ascii")
    write_tensors(tensors, weights)
    params, programs = program.load(folder)
    compiled = {name: jax.jit(each) for name, each in programs.items()}

    outputs = {part.name: part.outputs for part in parts}

    def run(name: str, inputs: Mapping[str, Array]) -> list[Array]:
        made = compiled[name](params, **inputs)
        return [np.asarray(made[each]) for each in outputs[name]]

    return check_same(model, run)


def _jax() -> tuple[Any, Any]:
    """jax, and the module that runs programs."""
    try:
        import jax

        from headway.compress import jax_model
    except ImportError:
        raise ConfigError(
            "a model in JAX needs jax, which is not installed",
            next_step="pip install 'headway[jax]'",
        ) from None
    return jax, jax_model


def _written(
    parts: Sequence[Part], model: Model
) -> tuple[dict[str, dict[str, Any]], dict[str, Tensor]]:
    """The programs of the parts, and the tensors they name; one that is shared has one name."""
    names = {each.data_ptr(): name for name, each in reversed([*model.named_parameters()])}
    graphs, tensors = {}, {}
    for part in parts:
        graphs[part.name], own = _graph(part, names)
        tensors.update(own)
    return graphs, tensors


def _graph(part: Part, names: Mapping[int, str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A part's program as `jax_model.Program` takes it, and its tensors.

    Raises:
        ConfigError: it has an operation that is not known there.
    """
    from headway.compress.jax_model import OPS

    program = traced(part)
    values = {**program.state_dict, **program.constants}
    nodes = {op: [node for node in program.graph.nodes if node.op == op] for op in KINDS_OF_NODES}
    steps = [node for node in nodes["call_function"] if not _name(node).startswith(CHECKS)]
    if unknown := sorted({_name(node) for node in steps} - OPS.keys()):
        raise ConfigError(
            f"this model computes in a way that is not known in JAX: {', '.join(unknown)}",
            next_step="export it to ONNX, or export a model of another architecture",
        )
    given, inputs, parameters, tensors = iter(part.inputs), {}, {}, {}
    specs = program.graph_signature.input_specs
    for node, spec in zip(nodes["placeholder"], specs, strict=True):
        if spec.kind is InputKind.USER_INPUT:
            inputs[node.name] = next(given)
        else:
            tensor = values[str(spec.target)]
            name = names.get(tensor.data_ptr(), f"{part.name}.{spec.target}")
            parameters[node.name], tensors[name] = name, tensor.detach()
    (output,) = nodes["output"]
    made = dict(zip(part.outputs, (value.name for value in output.args[0]), strict=True))
    listed = [[node.name, _name(node), _said(node.args), _options(node.kwargs)] for node in steps]
    return {"inputs": inputs, "parameters": parameters, "nodes": listed, "outputs": made}, tensors


def _name(node: fx.Node) -> str:
    """What an operation is called: `aten.linear.default`; of Python's own, `mul`."""
    target = node.target
    if isinstance(target, str | torch._ops.OpOverload):
        return str(target)
    return target.__name__


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _said(value) for name, value in given.items() if name not in FOR_TORCH}


def _said(value: Any) -> Any:
    """An argument as JSON holds it."""
    if isinstance(value, fx.Node):
        return {"value": value.name}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    if isinstance(value, (list, tuple)):
        return [_said(each) for each in value]
    return value if isinstance(value, (bool, int, float, str)) else None
